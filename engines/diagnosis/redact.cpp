// Secrets in text, found by their own shape (tokens with a prefix, keys, JWTs) or by where they
// stand (URLs with a password, Authorization headers, assignments). A shape is taken at its word;
// an assignment's value must also look random, so that "unexpected token: identifier" stays
// readable. Hashes, UUIDs and checksums without such a name stay: people need them.
#include <algorithm>
#include <array>
#include <memory>
#include <vector>

#include <re2/re2.h>

#include "engines/diagnosis/diagnosis.h"
#include "engines/diagnosis/entropy.h"
#include "engines/diagnosis/private_keys.h"
#include "engines/diagnosis/rule_gate.h"
#include "engines/diagnosis/rules.h"

namespace gitaiops::diagnosis {
namespace {

constexpr std::string_view kHidden = "[REDACTED]";

// How much doubt a match deserves.
enum class Doubt {
  none,      // the shape says it
  place,     // the place says it; placeholders are left
  url,       // as place, of a URL, but not an image's tag
  password,  // an assignment to a password: everything but placeholders and, after "name: ", plain
             // words
  random,    // an assignment to a token or key: only what looks random
};

// Tokens that their own shape betrays. Looked for in one pass, at beginnings of words.
constexpr std::array kTokens{
    // GitLab
    R"re(gl(?:pat|rt|rtr|cbt|dt|ptt|ft|soat|oas|agent|imt|ffct|wt)-[A-Za-z0-9_=.-]{8,})re",
    R"re(GR1348941[A-Za-z0-9_-]{12,})re",
    // Clouds
    R"re((?:AKIA|ASIA|ABIA|ACCA|AROA|AIDA)[A-Z2-7]{16}\b)re",
    R"re(AIza[A-Za-z0-9_-]{35})re",
    R"re(ya29\.[A-Za-z0-9_-]{20,})re",
    R"re(GOCSPX-[A-Za-z0-9_-]{20,})re",
    R"re([A-Za-z0-9_~.-]{3}[0-9]Q~[A-Za-z0-9_~.-]{31,34})re",
    R"re(do[opr]_v1_[a-f0-9]{40,})re",
    R"re(hv[sbr]\.[A-Za-z0-9_-]{20,})re",
    R"re([A-Za-z0-9]{10,64}\.atlasv1\.[A-Za-z0-9_=-]{30,})re",
    R"re(pul-[a-f0-9]{40})re",
    // Forges, registries, chat, payment
    R"re(gh[pousr]_[A-Za-z0-9]{20,})re",
    R"re(github_pat_[A-Za-z0-9_]{22,})re",
    R"re(xox[abceoprs]-[A-Za-z0-9-]{10,})re",
    R"re(xapp-[0-9]-[A-Za-z0-9-]{10,})re",
    R"re(npm_[A-Za-z0-9]{30,})re",
    R"re(pypi-[A-Za-z0-9_-]{40,})re",
    R"re(dckr_(?:pat|oat)_[A-Za-z0-9_-]{20,})re",
    R"re((?:sk|rk|pk)_(?:live|test)_[A-Za-z0-9]{16,})re",
    R"re(sk-(?:proj-|ant-|svcacct-)[A-Za-z0-9_-]{20,})re",
    R"re(sk-[A-Za-z0-9]{40,})re",
    R"re(SG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{30,})re",
    R"re(rubygems_[a-f0-9]{40,})re",
    R"re((?:shp(?:at|ca|pa|ss)_|sq[apu]_|glsa_|lin_api_|pscale_(?:tkn|pw|oauth)_|hf_|ntn_)[A-Za-z0-9_]{28,})re",
    R"re((?:sq0(?:atp|csp)-|PMAK-|NRAK-|dp\.(?:pt|st|ct)\.|ATATT3)[A-Za-z0-9_=-]{20,})re",
    R"re((?:dapi|SK|key-)[a-f0-9]{32}\b)re",
    R"re(dt0[a-z]\d{2}\.[A-Z0-9]{24}\.[A-Z0-9]{64}\b)re",
    R"re((?:bot)?\d{8,10}:AA[A-Za-z0-9_-]{32,34})re",
    // Private keys: age's, OpenSSH's beginning, PEM once more in base64
    R"re(AGE-SECRET-KEY-1[A-Z0-9]{40,})re",
    R"re(b3BlbnNzaC1rZXktdjE[A-Za-z0-9+/=]*)re",
    R"re(LS0tLS1CRUdJTiB(?:SU0EgUFJJVkFURSBLRVkt|QUklWQVRFIEtFWS|FQyBQUklWQVRFIEtFWS|PUEVOU1NIIFBSSVZBVEUgS0VZ)[A-Za-z0-9+/=]*)re",
    // JSON Web Tokens, also broken off
    R"re(eyJ[A-Za-z0-9_-]{14,}(?:\.[A-Za-z0-9_-]*){0,4})re",
};

struct Shape {
  const char* expression;  // the secret is the last group that took part
  Doubt doubt;
};

// Quotes are escaped where JSON stands inside a string: \"password\":\"…\".
constexpr std::array kPlaces{
    Shape{R"re((?i)\b(?:AccountKey|SharedAccessKey)=([A-Za-z0-9+/=]{30,}))re", Doubt::none},
    Shape{
        R"re((?i)(?:\bsig|[?&](?:signature|x-amz-signature|x-amz-security-token|x-goog-signature))=([A-Za-z0-9%+/=_-]{20,}))re",
        Doubt::none},
    Shape{
        R"re((?:hooks\.slack\.com/(?:services|workflows)/|discord(?:app)?\.com/api/webhooks/[0-9]{6,}/)([A-Za-z0-9/_-]{20,}))re",
        Doubt::none},
    // A password may hold an @, and, where it cannot be a port, a slash.
    Shape{R"re([A-Za-z][A-Za-z0-9+.-]{1,20}://[^\s/:@'"<>]{0,256}:([^\s/'"<>]{1,512})@)re",
          Doubt::url},
    Shape{
        R"re([A-Za-z][A-Za-z0-9+.-]{1,20}://[^\s/:@'"<>]{1,256}:([^\s/:@'"<>,0-9][^\s/@'"<>,]{0,128}/[^\s'"<>]{0,256}[^\s'"<>@/])@[A-Za-z0-9])re",
        Doubt::random},
    Shape{R"re(\bhttps?://([A-Za-z0-9_-]{20,256})@)re", Doubt::place},
    Shape{
        R"re((?i)\bauthorization['"\\]*\s*[:=]\s*['"\\]*(?:(?:bearer|basic|token|digest|negotiate|apikey)\s+)?([^\s'"\\,;]{6,}))re",
        Doubt::place},
    Shape{R"re((?i)\b(?:bearer|basic)\s+([A-Za-z0-9._~+/=-]{16,}))re", Doubt::random},
    Shape{
        R"re((?i)\b(?:private-token|job-token|deploy-token|x-api-key|x-auth-token|x-vault-token|x-gitlab-token|set-cookie|cookie)['"\\]*\s*[:=]\s*['"\\]*([^\s'"\\,]{8,}))re",
        Doubt::place},
    Shape{
        R"re((?i)[a-z0-9_.-]{0,64}(?:password|passwd|passphrase|passwort|mysql_pwd|\bpwd)[a-z0-9_]{0,32}['"\\]*[ \t]*(?:=>|:=|=|:)[ \t]*(?:\\+["']([^"'\\\n]{4,512})|"([^"\n]{4,512})"|'([^'\n]{4,512})'|([^\s'",;]{4,512})))re",
        Doubt::password},
    Shape{
        R"re((?i)\bpassword for [^\s:'"]{1,64}(?: [^\s:'"]{1,64}){0,3}:[ \t]*([^\s'",;]{4,512}))re",
        Doubt::password},
    Shape{
        R"re((?i)[a-z0-9_.-]{0,64}(?:secret|token|api_?-?key|access_?-?key|private_?-?key|auth_?-?key|encryption_?-?key|credentials?|_auth|sonar\.login)[a-z0-9_]{0,32}['"\\]*[ \t]*(?:=>|:=|=|:)[ \t]*(?:\\+["']([^"'\\\n]{8,})|"([^"\n]{8,})"|'([^'\n]{8,})'|([^\s'",;]{8,})))re",
        Doubt::random},
    Shape{R"re((?:"auth\\*"|\bclient-key-data\\*"?)\s*:\s*(?:\\*")?([A-Za-z0-9+/=]{8,}))re",
          Doubt::place},
    // Command lines
    Shape{R"re((?i)\B--?(?:password|passwd|pass|passphrase)[ =]+['"]?([^\s'"]{4,512}))re",
          Doubt::password},
    Shape{
        R"re((?i)\B--?(?:token|secret|api-?key|auth-token|access-key|secret-key|registration-token|deploy-key)[ =]+['"]?([^\s'"]{8,}))re",
        Doubt::random},
    Shape{
        R"re(\b(?:docker|podman|nerdctl|buildah|skopeo|helm|oras|crane|oc|az|cf)\b[^\n]{0,64}\blogin\b[^\n]{0,256}?\s(?:-p[ =]*|--password[ =]+)(?:"([^"\n]{3,512})"|'([^'\n]{3,512})'|([^\s'"-][^\s'"]{2,512})))re",
        Doubt::place},
    Shape{
        R"re(\b(?:mysql(?:dump|admin|import|sh)?|mariadb(?:-dump|-admin)?)[ \t][^\n]{0,256}?\s-p(?:"([^"\n]{3,512})"|'([^'\n]{3,512})'|([^\s'":]{3,512}))(?:\s|$))re",
        Doubt::place},
    Shape{R"re(\bsshpass[ \t]+-p[ \t]*(?:"([^"\n]{1,512})"|'([^'\n]{1,512})'|([^\s'"]{1,512})))re",
          Doubt::place},
    Shape{
        R"re((?i)\bcurl\b[^\n]{0,512}\s(?:-[a-z]{0,6}u|--(?:proxy-)?user)[ =]*['"]?[^\s:'"]{1,128}:([^\s'"]{4,512}))re",
        Doubt::place},
};

struct Sought {
  std::unique_ptr<const Fields> expression;  // compiled once a word of it was seen
  Doubt doubt;
  bool anywhere = true;  // there is no word without which it cannot match
};

std::unique_ptr<re2::RE2> compile(const std::string& expression) {
  re2::RE2::Options options(re2::RE2::Quiet);
  options.set_encoding(re2::RE2::Options::EncodingLatin1);
  return std::make_unique<re2::RE2>(expression, options);
}

struct Shapes {
  std::vector<Sought> all;
  std::unique_ptr<Scanner> words;  // with the bits of the shapes that may match where one stands

  void add(const std::string& expression, Doubt doubt, std::vector<Expression>& gates) {
    const auto needed = words_of(expression);
    const uint32_t bit = 1u << all.size();
    for (const auto& word : needed) gates.push_back({word, {.rule = kGate, .gates = bit}, true});
    all.push_back({std::make_unique<const Fields>(expression), doubt, needed.empty()});
  }
};

const Shapes& shapes() {
  static_assert(kPlaces.size() < 32);  // one bit each, and one for the tokens
  static const auto* const all = [] {
    auto* out = new Shapes;  // never destroyed: redact() may run during exit
    std::vector<Expression> gates;
    std::string tokens;
    for (const char* token : kTokens)
      tokens += (tokens.empty() ? "\\b(" : "|") + std::string(token);
    out->add(tokens + ")", Doubt::none, gates);
    for (const Shape& s : kPlaces) out->add(s.expression, s.doubt, gates);
    auto words = Scanner::compile(std::move(gates), Scanner::Target::here);
    if (words.ok()) out->words = std::move(words).value();
    return out;
  }();
  return *all;
}

// The bits of the shapes of which a word stands in the text: twenty expressions take a millisecond
// for a packet, their words some microseconds.
uint32_t possible(const Shapes& shapes, std::string_view text) {
  if (!shapes.words) return ~0u;
  uint32_t bits = 0;
  shapes.words->scan(
      text, [](void* context, const Hit& hit) { *static_cast<uint32_t*>(context) |= hit.gates; },
      &bits);
  return bits;
}

bool lower(char c) {
  return c >= 'a' && c <= 'z';
}
bool upper(char c) {
  return c >= 'A' && c <= 'Z';
}
bool digit(char c) {
  return c >= '0' && c <= '9';
}

// A reference, mask or call as a whole; one that white space or a quote cut off ends where it may.
// What only begins like one is a secret.
bool reference(std::string_view v) {
  static const auto* const whole =
      compile(
          // $NAME, $name, $1, $env:NAME, ${…}, $(…), one after another and with a path behind
          R"re((?:(?:\$\$?(?:[A-Z_][A-Z0-9_]*|[a-z_]+|[0-9*@#?!-]|(?i:env):[A-Za-z_]+|\{[^{}]*\}|\([^()]*\))[:/@._-]?)+(?:/[A-Za-z_./-]*)?)re"
          R"re(|\$\([A-Za-z_./-]*|\$\{[A-Za-z_]*(?::?[-=?+][A-Za-z_./-]*)?)re"
          R"re(|%[A-Za-z_]+[A-Za-z0-9_]*%|%\([A-Za-z_]+\)s|%[a-z])re"
          R"re(|\$?\{\{(?:[^{}]*\}\})?|#?\{[A-Za-z_.]*\}?|<[^<>]*>|<[A-Za-z_-]*)re"
          R"re(|\((?:[A-Za-z ]*\))?|[A-Za-z_][A-Za-z_.]*\([A-Za-z_.()]*)re"
          R"re(|\[(?:MASKED|REDACTED|FILTERED|secure|hidden|secret|removed)\])re"
          R"re(|(?:process\.env|os\.environ|env|secrets)(?:[.\[](?:[A-Z_]+|[a-z_]+)?\(?)*\]?)re"
          R"re()[)\]}.,:;!?&|`\\]*)re")
          .release();
  return re2::RE2::FullMatch(re2::StringPiece(v.data(), v.size()), *whole);
}

// What stands for a secret without being one: references, masks, literals of programming languages.
bool placeholder(std::string_view v) {
  if (v.find_first_not_of("*xX.-_#•") == v.npos || reference(v)) return true;
  constexpr std::array<std::string_view, 14> kWords{
      "null",    "none",    "true",  "false", "undefined", "string",   "required",
      "invalid", "missing", "empty", "unset", "nil",       "optional", "[secure]"};
  const auto last = v.find_last_not_of(".)],");
  std::string low(v.substr(0, std::min<std::size_t>(last + 1, 16)));
  if (last + 1 > low.size()) return false;
  std::transform(low.begin(), low.end(), low.begin(),
                 [](char c) { return upper(c) ? static_cast<char>(c + 32) : c; });
  return std::find(kWords.begin(), kWords.end(), low) != kWords.end();
}

bool looks_random(std::string_view v) {
  if (v.find('(') != v.npos || v.find("::") != v.npos || v.find("->") != v.npos ||
      v.starts_with("/") || v.starts_with("./") || v.find("://") != v.npos) {
    return false;
  }
  const bool has_digit = std::any_of(v.begin(), v.end(), digit);
  const bool has_lower = std::any_of(v.begin(), v.end(), lower),
             has_upper = std::any_of(v.begin(), v.end(), upper);
  if (!has_digit && !(has_lower && has_upper && v.size() >= 20)) return false;
  return (has_lower || has_upper) && entropy(v) >= 2.9;
}

bool plain_word(std::string_view v) {
  return std::all_of(v.begin(), v.end(), [](char c) {
    return lower(c) || upper(c) || c == '.' || c == '!' || c == '?' || c == ')' || c == ':';
  });
}

bool believe(Doubt doubt, std::string_view value, std::string_view before, std::string_view whole,
             std::string_view after) {
  if (doubt == Doubt::none) return true;
  if (placeholder(value)) return false;
  if (doubt == Doubt::url) return !after.starts_with("sha256:");
  // A user's name in a URL: its own shape decides.
  if (before.ends_with("://") && value.find('@') != value.npos) return false;
  if (doubt == Doubt::random) return looks_random(value);
  // The shell's working directory, which is named as a password may be.
  if (doubt == Doubt::password && value.starts_with('/') &&
      (whole.starts_with("PWD") || whole.starts_with("pwd")))
    return false;
  if (doubt == Doubt::password && plain_word(value)) {
    // "password: incorrect" is prose, "password=incorrect" is not.
    const auto name = whole.substr(0, whole.size() - value.size());
    return !name.ends_with(' ') || name.find('=') != name.npos || name.starts_with('-');
  }
  return true;
}

struct Hidden {
  std::size_t begin = 0, end = 0;
  bool counts = true;  // false for the further lines of a key
};

void find(const Sought& shape, std::string_view text, std::vector<Hidden>& found) {
  const re2::StringPiece piece(text.data(), text.size());
  std::array<re2::StringPiece, 5> groups;
  const re2::RE2& expression = shape.expression->get();
  const int count = std::min<int>(expression.NumberOfCapturingGroups() + 1, groups.size());
  std::size_t at = 0;
  while (at <= text.size() &&
         expression.Match(piece, at, text.size(), re2::RE2::UNANCHORED, groups.data(), count)) {
    const std::size_t whole_begin = groups[0].data() - text.data(),
                      whole_end = whole_begin + groups[0].size();
    for (int g = count - 1; g > 0; --g) {
      if (!groups[g].data()) continue;
      const std::size_t begin = groups[g].data() - text.data(), end = begin + groups[g].size();
      const auto value = text.substr(begin, end - begin);
      if (believe(shape.doubt, value, text.substr(0, whole_begin),
                  text.substr(whole_begin, end - whole_begin), text.substr(whole_end)))
        found.push_back({begin, end});
      break;
    }
    at = std::max(whole_end, at + 1);
  }
}

}  // namespace

Redacted redact(std::string_view text) {
  std::vector<Hidden> found;
  for (const KeyPiece& piece : private_keys(text))
    found.push_back({piece.begin, piece.end, piece.first});
  const uint32_t worth = possible(shapes(), text);
  for (std::size_t i = 0; i < shapes().all.size(); ++i) {
    const Sought& shape = shapes().all[i];
    if (shape.anywhere || worth >> i & 1) find(shape, text, found);
  }
  Redacted out;
  if (found.empty()) {
    out.text = std::string(text);
    return out;
  }
  std::sort(found.begin(), found.end(),
            [](const Hidden& a, const Hidden& b) { return a.begin < b.begin; });
  std::size_t at = 0;
  for (const Hidden& h : found) {
    if (h.end <= at) continue;
    if (h.begin >= at) {
      out.text.append(text.substr(at, h.begin - at)).append(kHidden);
      out.count += h.counts;
    }
    at = h.end;
  }
  out.text.append(text.substr(at));
  return out;
}

}  // namespace gitaiops::diagnosis
