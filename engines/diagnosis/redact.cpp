// Secrets in text, found by their own shape (tokens with a prefix, keys, JWTs) or by where they
// stand (URLs with a password, Authorization headers, assignments). A shape is taken at its word;
// an assignment's value must also look random, so that "unexpected token: identifier" stays
// readable. Hashes, UUIDs and checksums without such a name stay: people need them.
#include <algorithm>
#include <array>
#include <cmath>
#include <memory>
#include <vector>

#include <re2/re2.h>

#include "engines/diagnosis/diagnosis.h"

namespace gitaiops::diagnosis {
namespace {

constexpr std::string_view kHidden = "[REDACTED]";

// How much doubt a match deserves. The secret is the last group that took part.
enum class Doubt {
  none,      // the shape says it
  place,     // the place says it; placeholders are left
  password,  // an assignment to a password: everything but placeholders and, after "name: ", plain
             // words
  random,    // an assignment to a token or key: only what looks random
};

struct Shape {
  const char* expression;
  Doubt doubt;
};

constexpr std::array kShapes{
    // Private keys, whole or broken off; also a body whose beginning is missing.
    Shape{R"re((-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----[A-Za-z0-9+/=\s\\:,.()-]*))re",
          Doubt::none},
    Shape{
        R"re(((?:[A-Za-z0-9+/=]{20,}(?:\s|\\n)*)+-----END [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----))re",
        Doubt::none},
    // GitLab
    Shape{
        R"re(\b(gl(?:pat|rt|rtr|cbt|dt|ptt|ft|soat|oas|agent|imt|ffct|wt)-[A-Za-z0-9_=.-]{8,}))re",
        Doubt::none},
    Shape{R"re(\b(GR1348941[A-Za-z0-9_-]{12,}))re", Doubt::none},
    // Clouds
    Shape{R"re(\b((?:AKIA|ASIA|ABIA|ACCA|AROA|AIDA)[A-Z2-7]{16})\b)re", Doubt::none},
    Shape{R"re(\b(AIza[A-Za-z0-9_-]{35}))re", Doubt::none},
    Shape{R"re(\b(ya29\.[A-Za-z0-9_-]{20,}))re", Doubt::none},
    Shape{R"re(\b(GOCSPX-[A-Za-z0-9_-]{20,}))re", Doubt::none},
    Shape{R"re((?i)\b(?:AccountKey|SharedAccessKey)=([A-Za-z0-9+/=]{30,}))re", Doubt::none},
    Shape{
        R"re((?i)[?&](?:sig|signature|x-amz-signature|x-amz-security-token|x-goog-signature)=([A-Za-z0-9%+/=_-]{20,}))re",
        Doubt::none},
    Shape{R"re(\b([A-Za-z0-9_~.-]{3}[0-9]Q~[A-Za-z0-9_~.-]{31,34}))re", Doubt::none},
    Shape{R"re(\b(do[opr]_v1_[a-f0-9]{40,}))re", Doubt::none},
    Shape{R"re(\b(hv[sbr]\.[A-Za-z0-9_-]{20,}))re", Doubt::none},
    // Forges, registries, chat, payment
    Shape{R"re(\b(gh[pousr]_[A-Za-z0-9]{20,}))re", Doubt::none},
    Shape{R"re(\b(github_pat_[A-Za-z0-9_]{22,}))re", Doubt::none},
    Shape{R"re(\b(xox[abceoprs]-[A-Za-z0-9-]{10,}))re", Doubt::none},
    Shape{R"re(\b(xapp-[0-9]-[A-Za-z0-9-]{10,}))re", Doubt::none},
    Shape{R"re(hooks\.slack\.com/(?:services|workflows)/([A-Za-z0-9/_-]{20,}))re", Doubt::none},
    Shape{R"re(\b(npm_[A-Za-z0-9]{30,}))re", Doubt::none},
    Shape{R"re(\b(pypi-[A-Za-z0-9_-]{40,}))re", Doubt::none},
    Shape{R"re(\b(dckr_(?:pat|oat)_[A-Za-z0-9_-]{20,}))re", Doubt::none},
    Shape{R"re(\b((?:sk|rk|pk)_(?:live|test)_[A-Za-z0-9]{16,}))re", Doubt::none},
    Shape{R"re(\b(sk-(?:proj-|ant-|svcacct-)[A-Za-z0-9_-]{20,}))re", Doubt::none},
    Shape{R"re(\b(sk-[A-Za-z0-9]{40,}))re", Doubt::none},
    Shape{R"re(\b(SG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{30,}))re", Doubt::none},
    Shape{R"re(\b(rubygems_[a-f0-9]{40,}))re", Doubt::none},
    Shape{
        R"re(\b((?:shp(?:at|ca|pa|ss)_|sq[apu]_|glsa_|lin_api_|pscale_(?:tkn|pw|oauth)_|hf_|ntn_)[A-Za-z0-9_]{28,}))re",
        Doubt::none},
    Shape{R"re(\b((?:sq0(?:atp|csp)-|PMAK-|NRAK-|dp\.(?:pt|st|ct)\.|ATATT3)[A-Za-z0-9_=-]{20,}))re",
          Doubt::none},
    Shape{R"re(\b(dapi[a-f0-9]{32}|SK[a-f0-9]{32}|key-[a-f0-9]{32})\b)re", Doubt::none},
    Shape{R"re(\b(dt0[a-z]\d{2}\.[A-Z0-9]{24}\.[A-Z0-9]{64})\b)re", Doubt::none},
    Shape{R"re(\b([A-Za-z0-9]{14}\.atlasv1\.[A-Za-z0-9_=-]{60,}))re", Doubt::none},
    Shape{R"re(\b(\d{8,10}:AA[A-Za-z0-9_-]{33})\b)re", Doubt::none},
    Shape{R"re(\b(AGE-SECRET-KEY-1[A-Z0-9]{40,}))re", Doubt::none},
    // JSON Web Tokens, also broken off
    Shape{R"re(\b(eyJ[A-Za-z0-9_-]{14,}(?:\.[A-Za-z0-9_-]*){0,4}))re", Doubt::none},
    // Places
    Shape{R"re([A-Za-z][A-Za-z0-9+.-]{1,20}://[^\s/:@'"<>]{0,256}:([^\s@/'"<>]{1,512})@)re",
          Doubt::place},
    Shape{R"re(\bhttps?://([A-Za-z0-9_-]{20,256})@)re", Doubt::place},
    Shape{
        R"re((?i)\bauthorization['"]?\s*[:=]\s*['"]?(?:(?:bearer|basic|token|digest|negotiate|apikey)\s+)?([^\s'",;]{6,}))re",
        Doubt::place},
    Shape{R"re((?i)\b(?:bearer|basic)\s+([A-Za-z0-9._~+/=-]{16,}))re", Doubt::random},
    Shape{
        R"re((?i)\b(?:private-token|job-token|deploy-token|x-api-key|x-auth-token|x-vault-token|x-gitlab-token|set-cookie|cookie)['"]?\s*[:=]\s*['"]?([^\s'",]{8,}))re",
        Doubt::place},
    Shape{
        R"re((?i)[a-z0-9_.-]{0,64}(?:password|passwd|passphrase|passwort|\bpwd)[a-z0-9_]{0,32}['"]?\s*(?:=>|:=|=|:)\s*(?:"([^"\n]{4,512})"|'([^'\n]{4,512})'|([^\s'",;]{4,512})))re",
        Doubt::password},
    Shape{
        R"re((?i)[a-z0-9_.-]{0,64}(?:secret|token|api_?-?key|access_?-?key|private_?-?key|auth_?-?key|encryption_?-?key|credentials?|_auth)[a-z0-9_]{0,32}['"]?\s*(?:=>|:=|=|:)\s*(?:"([^"\n]{8,})"|'([^'\n]{8,})'|([^\s'",;]{8,})))re",
        Doubt::random},
    Shape{R"re((?i)--?(?:password|passwd|pass|passphrase)[ =]+['"]?([^\s'"]{4,512}))re",
          Doubt::password},
    Shape{
        R"re((?i)--?(?:token|secret|api-?key|auth-token|access-key|secret-key|registration-token|deploy-key)[ =]+['"]?([^\s'"]{8,}))re",
        Doubt::random},
    Shape{
        R"re((?i)\bcurl\b[^\n]{0,512}\s(?:-u|--user)[ =]+['"]?[^\s:'"]{1,128}:([^\s'"]{4,512}))re",
        Doubt::place},
};

struct Compiled {
  std::unique_ptr<re2::RE2> expression;
  Doubt doubt;
};

const std::vector<Compiled>& compiled() {
  static const auto* const all = [] {
    auto* out = new std::vector<Compiled>;  // never destroyed: redact() may run during exit
    re2::RE2::Options options(re2::RE2::Quiet);
    options.set_encoding(re2::RE2::Options::EncodingLatin1);
    for (const Shape& s : kShapes)
      out->push_back({std::make_unique<re2::RE2>(s.expression, options), s.doubt});
    return out;
  }();
  return *all;
}

double entropy(std::string_view text) {
  std::array<int, 256> counts{};
  for (const char c : text) ++counts[static_cast<unsigned char>(c)];
  double bits = 0;
  for (const int n : counts) {
    if (n == 0) continue;
    const double p = static_cast<double>(n) / static_cast<double>(text.size());
    bits -= p * std::log2(p);
  }
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

// What stands for a secret without being one: references, masks, literals of programming languages.
bool placeholder(std::string_view v) {
  if (v.find_first_of("$(){}<>") == 0 || v.find("${") != v.npos || v.find("()") != v.npos ||
      v.starts_with("%"))
    return true;
  if (v.starts_with("[MASKED]") || v.starts_with("[REDACTED") || v.starts_with("[FILTERED]") ||
      v.starts_with("process.env") || v.starts_with("os.environ") || v.starts_with("env.") ||
      v.starts_with("secrets.")) {
    return true;
  }
  if (v.find_first_not_of("*xX.-_#•") == v.npos) return true;
  constexpr std::array<std::string_view, 14> kWords{
      "null",    "none",    "true",  "false", "undefined", "string",   "required",
      "invalid", "missing", "empty", "unset", "nil",       "optional", "[secure]"};
  std::string low(v.substr(0, 16));
  std::transform(low.begin(), low.end(), low.begin(),
                 [](char c) { return upper(c) ? static_cast<char>(c + 32) : c; });
  while (!low.empty() &&
         (low.back() == '.' || low.back() == ')' || low.back() == ']' || low.back() == ','))
    low.pop_back();
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
    return lower(c) || upper(c) || c == '.' || c == '!' || c == '?' || c == ')';
  });
}

bool believe(Doubt doubt, std::string_view value, std::string_view whole) {
  if (doubt == Doubt::none) return true;
  if (placeholder(value)) return false;
  if (doubt == Doubt::random) return looks_random(value);
  if (doubt == Doubt::password && plain_word(value)) {
    // "password: incorrect" is prose, "password=incorrect" is not.
    const auto before = whole.substr(0, whole.size() - value.size());
    return !before.ends_with(' ') || before.find('=') != before.npos || before.starts_with('-');
  }
  return true;
}

struct Hidden {
  std::size_t begin = 0, end = 0;
};

void find(const Compiled& shape, std::string_view text, std::vector<Hidden>& found) {
  const re2::StringPiece piece(text.data(), text.size());
  std::array<re2::StringPiece, 4> groups;
  const int count = std::min<int>(shape.expression->NumberOfCapturingGroups() + 1, groups.size());
  std::size_t at = 0;
  while (at <= text.size() && shape.expression->Match(piece, at, text.size(), re2::RE2::UNANCHORED,
                                                      groups.data(), count)) {
    const std::size_t whole_begin = groups[0].data() - text.data(),
                      whole_end = whole_begin + groups[0].size();
    for (int g = count - 1; g > 0; --g) {
      if (!groups[g].data()) continue;
      const std::size_t begin = groups[g].data() - text.data(), end = begin + groups[g].size();
      const auto value = text.substr(begin, end - begin);
      if (believe(shape.doubt, value, text.substr(whole_begin, end - whole_begin)))
        found.push_back({begin, end});
      break;
    }
    at = std::max(whole_end, at + 1);
  }
}

}  // namespace

Redacted redact(std::string_view text) {
  std::vector<Hidden> found;
  for (const Compiled& shape : compiled()) find(shape, text, found);
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
      ++out.count;
    }
    at = h.end;
  }
  out.text.append(text.substr(at));
  return out;
}

}  // namespace gitaiops::diagnosis
