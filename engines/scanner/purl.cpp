#include "engines/scanner/purl.h"

#include <algorithm>
#include <array>
#include <optional>

#include "base/bytes/bytes.h"

namespace gitaiops::scanner {
namespace {

// What the registered types say beyond the general rules (package-url/purl-spec types/*.json).
enum class Need : uint8_t { optional, required, prohibited };
struct Rules {
  std::string_view type;
  Need name_space = Need::optional;
  bool lower_space = false, lower_name = false, lower_version = false;
  std::string_view qualifier = {};  // one that must be there
};
using enum Need;
constexpr std::array kTypes{
    Rules{"alpm", required, true, true},
    Rules{"apk", required, true, true},
    Rules{"bazel", prohibited},
    Rules{"bitbucket", required, true, true},
    Rules{"bitnami", prohibited, false, true},
    Rules{"brew", optional, true, true},
    Rules{"cargo", prohibited},
    Rules{"chrome-extension", prohibited, false, true},
    Rules{"cocoapods", prohibited},
    Rules{"composer", required, true, true},
    Rules{"conda", prohibited},
    Rules{"cran", prohibited},
    Rules{"deb", required, true, true},
    Rules{"gem", prohibited},
    Rules{"git", required},
    Rules{"github", required, true, true},
    Rules{"golang", required},
    Rules{"hackage", prohibited},
    Rules{"hex", optional, true, true},
    Rules{"huggingface", required, false, false, true},
    Rules{"julia", prohibited, false, false, false, "uuid"},
    Rules{"luarocks", optional, true, true},
    Rules{"maven", required},
    Rules{"mlflow", prohibited},
    Rules{"npm", optional, true},
    Rules{"nuget", prohibited},
    Rules{"oci", prohibited, false, true, true},
    Rules{"opam", prohibited},
    Rules{"otp", prohibited, false, true},
    Rules{"pub", prohibited, false, true},
    Rules{"pypi", prohibited, false, true, true},
    Rules{"qpkg", required, true},
    Rules{"rpm", required, true},
    Rules{"swid", optional, false, false, false, "tag_id"},
    Rules{"swift", required},
    Rules{"vcpkg", prohibited},
    Rules{"vscode-extension", required, true, true, true},
    Rules{"yocto", optional, true},
};

const Rules& rules_of(std::string_view type) {
  static constexpr Rules kGeneral{"generic"};
  const auto found = std::ranges::find(kTypes, type, &Rules::type);
  return found == kTypes.end() ? kGeneral : *found;
}

constexpr bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
constexpr bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
constexpr char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}
void make_lower(std::string& text) {
  std::ranges::transform(text, text.begin(), lower);
}

Error refused(std::string reason) {
  return Error(Code::invalid_argument, "this is no package URL: " + std::move(reason));
}

// What a character may be as it is: the colon too; '/' where parts are joined by it.
bool stays(char c) {
  return is_letter(c) || is_digit(c) || c == '.' || c == '-' || c == '_' || c == '~' || c == ':';
}

std::string encoded(std::string_view text) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    if (stays(c)) {
      out.push_back(c);
    } else {
      const auto byte = static_cast<unsigned char>(c);
      out.push_back('%');
      out.push_back(kHex[byte >> 4]);
      out.push_back(kHex[byte & 15]);
    }
  }
  return out;
}

// A '%' without two digits stands for itself.
std::string decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto bytes =
        text[i] == '%' && i + 2 < text.size() ? hex_decode(text.substr(i + 1, 2)) : std::nullopt;
    out += bytes ? *bytes : std::string(1, text[i]);
    if (bytes) i += 2;
  }
  return out;
}

// The parts between '/', each changed; empty ones are left out, and in a subpath "." and "..".
std::string each_part(std::string_view text, bool path, std::string (*change)(std::string_view)) {
  std::string out;
  for (const auto part : split(text, '/')) {
    if (part.empty() || (path && (part == "." || part == ".."))) continue;
    if (!out.empty()) out += '/';
    out += change(part);
  }
  return out;
}

bool is_type(std::string_view text) {
  return !text.empty() && !is_digit(text.front()) && std::ranges::all_of(text, [](char c) {
    return is_letter(c) || is_digit(c) || c == '.' || c == '-';
  });
}

bool is_key(std::string_view text) {
  return !text.empty() && !is_digit(text.front()) && std::ranges::all_of(text, [](char c) {
    return (is_letter(c) && c == lower(c)) || is_digit(c) || c == '.' || c == '-' || c == '_';
  });
}

// ---- Rules of single types ----

std::string python_name(std::string name) {
  std::ranges::replace(name, '_', '-');
  return name;
}

// The name of a Dart package is an identifier.
std::string dart_name(std::string name) {
  std::ranges::replace_if(name, [](char c) { return !is_letter(c) && !is_digit(c); }, '_');
  return name;
}

// Azure's model registry tells case apart, Databricks' does not.
void mlflow_name(Purl& purl) {
  const auto found = purl.qualifiers.find("repository_url");
  if (found != purl.qualifiers.end() && found->second.find("databricks") != std::string::npos)
    make_lower(purl.name);
}

// These hosts do not tell case apart.
void git_name(Purl& purl) {
  constexpr std::array<std::string_view, 4> kHosts{"github", "github.com", "bitbucket",
                                                   "bitbucket.org"};
  std::string host = purl.name_space;
  make_lower(host);
  if (std::ranges::find(kHosts, host) == kHosts.end()) return;
  purl.name_space = host;
  make_lower(purl.name);
}

std::optional<std::string> chrome_fault(const Purl& purl) {
  const bool id = purl.name.size() == 32 &&
                  std::ranges::all_of(purl.name, [](char c) { return c >= 'a' && c <= 'p'; });
  if (!id) return "a Chrome extension's name is 32 letters from a to p";
  if (purl.version.empty()) return std::nullopt;
  const auto parts = split(purl.version, '.');
  const bool numbers = parts.size() <= 4 && std::ranges::all_of(parts, [](std::string_view part) {
                         return !part.empty() && std::ranges::all_of(part, is_digit);
                       });
  return numbers ? std::nullopt
                 : std::optional("a Chrome extension's version is up to four numbers");
}

void normalise(Purl& purl) {
  make_lower(purl.type);
  const Rules& rules = rules_of(purl.type);
  if (rules.lower_space) make_lower(purl.name_space);
  if (rules.lower_name) make_lower(purl.name);
  if (rules.lower_version) make_lower(purl.version);
  if (purl.type == "pypi") purl.name = python_name(std::move(purl.name));
  if (purl.type == "pub") purl.name = dart_name(std::move(purl.name));
  if (purl.type == "mlflow") mlflow_name(purl);
  if (purl.type == "git") git_name(purl);
  std::erase_if(purl.qualifiers, [](const auto& pair) { return pair.second.empty(); });
}

std::optional<std::string> fault(const Purl& purl) {
  if (!is_type(purl.type)) return "its type \"" + purl.type + "\" is none";
  if (purl.name.empty()) return "it has no name";
  const Rules& rules = rules_of(purl.type);
  if (rules.name_space == required && purl.name_space.empty())
    return "a namespace has to stand before the name of type " + purl.type;
  if (rules.name_space == prohibited && !purl.name_space.empty())
    return "type " + purl.type + " has no namespace";
  for (const auto& [key, value] : purl.qualifiers)
    if (!is_key(key)) return "\"" + key + "\" is no qualifier's key";
  if (!rules.qualifier.empty() && !purl.qualifiers.contains(std::string(rules.qualifier)))
    return "type " + purl.type + " needs the qualifier " + std::string(rules.qualifier);
  if (purl.type == "cpan" && purl.name.find("::") != std::string::npos)
    return "CPAN is asked for distributions, not for modules";
  if (purl.type == "chrome-extension") return chrome_fault(purl);
  return std::nullopt;
}

enum class Keys { begin_lower, any_case };

Status read_qualifiers(Purl& purl, std::string_view text, Keys keys) {
  for (const auto pair : split(text, '&')) {
    if (pair.empty()) continue;
    const auto equals = pair.find('=');
    if (equals == pair.npos) return refused("a qualifier is key=value");
    std::string key(pair.substr(0, equals));
    if (keys == Keys::begin_lower && !key.empty() && key.front() != lower(key.front()))
      return refused("the qualifier's key \"" + key + "\" is not in lower case");
    make_lower(key);
    if (!is_key(key)) return refused("\"" + key + "\" is no qualifier's key");
    if (!purl.qualifiers.emplace(key, decoded(pair.substr(equals + 1))).second)
      return refused("the qualifier " + key + " stands twice");
  }
  return {};
}

// The name is the last part; a Git repository's is all behind the host.
void split_name(Purl& purl, std::string_view path) {
  while (path.ends_with('/')) path.remove_suffix(1);
  const auto cut = purl.type == "git" ? path.find('/') : path.rfind('/');
  if (cut == path.npos) {
    purl.name = decoded(path);
    return;
  }
  purl.name = purl.type == "git" ? each_part(path.substr(cut + 1), false, decoded)
                                 : decoded(path.substr(cut + 1));
  purl.name_space = each_part(path.substr(0, cut), false, decoded);
}

Result<Purl> parse(std::string_view text, Keys keys) {
  Purl purl;
  std::string_view rest = trimmed(text);
  if (const auto hash = rest.rfind('#'); hash != rest.npos) {
    purl.subpath = each_part(rest.substr(hash + 1), true, decoded);
    rest = rest.substr(0, hash);
  }
  std::string_view qualifiers;
  if (const auto question = rest.rfind('?'); question != rest.npos) {
    qualifiers = rest.substr(question + 1);
    rest = rest.substr(0, question);
  }
  const auto colon = rest.find(':');
  if (colon != 3 || lower(rest[0]) != 'p' || lower(rest[1]) != 'k' || lower(rest[2]) != 'g')
    return refused("it does not begin with \"pkg:\"");
  rest.remove_prefix(4);
  while (rest.starts_with('/')) rest.remove_prefix(1);
  const auto slash = rest.find('/');
  if (slash == rest.npos) return refused("it has no type, or no name behind it");
  purl.type = rest.substr(0, slash);
  make_lower(purl.type);
  rest.remove_prefix(slash + 1);
  while (rest.starts_with('/')) rest.remove_prefix(1);
  // An npm scope may begin with a bare '@'; a version's '@' stands in the last part.
  const auto at = rest.rfind('@');
  if (at != rest.npos && !(at == 0 && rest.find('/') != rest.npos) &&
      (at == 0 || rest[at - 1] != '/' || rest.find('/', at) == rest.npos)) {
    purl.version = decoded(rest.substr(at + 1));
    const bool nameless = at == 0 || rest[at - 1] == '/';
    rest = rest.substr(0, at);
    if (nameless) return refused("it has no name");
  }
  RETURN_IF_ERROR(read_qualifiers(purl, qualifiers, keys));
  split_name(purl, rest);
  normalise(purl);
  if (const auto reason = fault(purl)) return refused(*reason);
  return purl;
}

}  // namespace

Result<Purl> parse_purl(std::string_view text) {
  return parse(text, Keys::begin_lower);
}

Result<std::string> canonical_purl(std::string_view text) {
  ASSIGN_OR_RETURN(auto purl, parse(text, Keys::any_case));
  return build_purl(std::move(purl));
}

Result<std::string> build_purl(Purl purl) {
  normalise(purl);
  if (const auto reason = fault(purl)) return refused(*reason);
  std::string out = "pkg:" + purl.type + "/";
  if (const auto space = each_part(purl.name_space, false, encoded); !space.empty())
    out += space + "/";
  out += purl.type == "git" ? each_part(purl.name, false, encoded) : encoded(purl.name);
  if (!purl.version.empty()) out += "@" + encoded(purl.version);
  char before = '?';
  for (const auto& [key, value] : purl.qualifiers) {
    out += before + key + "=" + encoded(value);
    before = '&';
  }
  if (const auto path = each_part(purl.subpath, true, encoded); !path.empty()) out += "#" + path;
  return out;
}

}  // namespace gitaiops::scanner
