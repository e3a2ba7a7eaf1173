// From names in imports to packages.
#include "engines/scanner/reachability/reachability.h"

#include <algorithm>
#include <array>
#include <deque>

namespace gitaiops::scanner {
namespace {

using Names = std::set<std::string, std::less<>>;

// Packages whose import name no rule yields; several lines for several names. By package.
struct Alias {
  std::string_view package, name;
};
constexpr std::array<Alias, 46> kPython = {{
    {"attrs", "attr"},
    {"beautifulsoup4", "bs4"},
    {"biopython", "Bio"},
    {"discord-py", "discord"},
    {"django-rest-framework", "rest_framework"},
    {"djangorestframework", "rest_framework"},
    {"dnspython", "dns"},
    {"docker-py", "docker"},
    {"faiss-cpu", "faiss"},
    {"gitpython", "git"},
    {"google-api-python-client", "googleapiclient"},
    {"grpcio", "grpc"},
    {"jinja2", "jinja2"},
    {"levenshtein", "Levenshtein"},
    {"mysql-connector-python", "mysql.connector"},
    {"mysqlclient", "MySQLdb"},
    {"opencv-python", "cv2"},
    {"opencv-python-headless", "cv2"},
    {"pillow", "PIL"},
    {"protobuf", "google.protobuf"},
    {"psycopg2-binary", "psycopg2"},
    {"py-cpuinfo", "cpuinfo"},
    {"pycryptodome", "Crypto"},
    {"pycryptodomex", "Cryptodome"},
    {"pygithub", "github"},
    {"pyjwt", "jwt"},
    {"pymupdf", "fitz"},
    {"pyopenssl", "OpenSSL"},
    {"pyserial", "serial"},
    {"pysocks", "socks"},
    {"pytest-runner", "ptr"},
    {"python-dateutil", "dateutil"},
    {"python-docx", "docx"},
    {"python-dotenv", "dotenv"},
    {"python-jose", "jose"},
    {"python-ldap", "ldap"},
    {"python-magic", "magic"},
    {"python-multipart", "multipart"},
    {"pywin32", "win32api"},
    {"pyyaml", "yaml"},
    {"pyzmq", "zmq"},
    {"scikit-image", "skimage"},
    {"scikit-learn", "sklearn"},
    {"setuptools", "pkg_resources"},
    {"tensorflow-gpu", "tensorflow"},
    {"websocket-client", "websocket"},
}};
constexpr std::array<Alias, 16> kMaven = {{
    {"com.google.guava:guava", "com.google.common"},
    {"com.google.code.gson:gson", "com.google.gson"},
    {"com.h2database:h2", "org.h2"},
    {"com.squareup.okhttp3:okhttp", "okhttp3"},
    {"com.squareup.retrofit2:retrofit", "retrofit2"},
    {"dom4j:dom4j", "org.dom4j"},
    {"javax.servlet:javax.servlet-api", "javax.servlet"},
    {"junit:junit", "org.junit"},
    {"log4j:log4j", "org.apache.log4j"},
    {"mysql:mysql-connector-java", "com.mysql"},
    {"org.apache.httpcomponents:httpclient", "org.apache.http"},
    {"org.apache.tomcat.embed:tomcat-embed-core", "org.apache.catalina"},
    {"org.jetbrains.kotlin:kotlin-stdlib", "kotlin"},
    {"org.projectlombok:lombok", "lombok"},
    {"xerces:xercesImpl", "org.apache.xerces"},
    {"xstream:xstream", "com.thoughtworks.xstream"},
}};

// Whether `name` itself or something below it is imported.
bool below(const Names& imports, std::string_view name, std::string_view separator) {
  if (imports.contains(name)) return true;
  const auto prefix = std::string(name).append(separator);
  const auto next = imports.lower_bound(prefix);
  return next != imports.end() && next->starts_with(prefix);
}

template <std::size_t N>
bool any_alias(const std::array<Alias, N>& table, std::string_view package, const Names& imports) {
  return std::ranges::any_of(table, [&](const Alias& alias) {
    return alias.package == package && below(imports, alias.name, ".");
  });
}

std::string replaced(std::string text, char from, char to) {
  std::ranges::replace(text, from, to);
  return text;
}

bool python_imported(const Package& package, const Names& imports) {
  const auto name = normalised_name(Ecosystem::pypi, package.name);
  if (any_alias(kPython, name, imports)) return true;
  auto bare = name;
  if (bare.starts_with("python-")) bare = bare.substr(7);
  if (bare.ends_with("-python")) bare.resize(bare.size() - 7);
  for (const auto& candidate : {name, bare}) {
    if (below(imports, replaced(candidate, '-', '_'), ".")) return true;
    if (below(imports, replaced(candidate, '-', '.'), ".")) return true;
  }
  // Import names in capitals ("Crypto") are rare enough to look at one by one.
  const auto wanted = replaced(name, '-', '_');
  return std::ranges::any_of(imports, [&](const std::string& import) {
    return lowered(std::string_view(import).substr(0, import.find('.'))) == wanted;
  });
}

Reach maven_reach(const Package& package, const Names& imports) {
  if (any_alias(kMaven, package.name, imports)) return Reach::imported;
  const auto group = std::string_view(package.name).substr(0, package.name.find(':'));
  const auto dots = std::ranges::count(group, '.');
  if (dots == 0 && group.starts_with("commons-"))
    return below(imports, "org.apache.commons." + std::string(group.substr(8)), ".")
               ? Reach::imported
               : Reach::not_found;
  if (dots == 0) return Reach::unknown;
  if (below(imports, group, ".")) return Reach::imported;
  // Groups often name a part that packages do not (com.fasterxml.jackson.core).
  if (dots >= 3 && below(imports, group.substr(0, group.rfind('.')), ".")) return Reach::imported;
  return Reach::not_found;
}

bool packagist_imported(const Package& package, const Names& imports) {
  const auto plain = [](std::string_view text) {
    auto out = lowered(text);
    std::erase_if(out, [](char c) { return c == '-' || c == '_'; });
    return out;
  };
  const auto slash = package.name.find('/');
  const auto vendor = plain(std::string_view(package.name).substr(0, slash));
  const auto name =
      slash == std::string::npos ? vendor : plain(std::string_view(package.name).substr(slash + 1));
  return std::ranges::any_of(imports, [&](const std::string& import) {
    const auto root = plain(std::string_view(import).substr(0, import.find('\\')));
    return root == vendor || root == name;
  });
}

bool nuget_imported(const Package& package, const Names& imports) {
  const auto name = lowered(package.name);
  return std::ranges::any_of(imports, [&](const std::string& import) {
    const auto space = lowered(import);
    return space == name || space.starts_with(name + ".") || name.starts_with(space + ".");
  });
}

std::optional<Language> language_of(Ecosystem ecosystem) {
  switch (ecosystem) {
    case Ecosystem::pypi:
      return Language::python;
    case Ecosystem::npm:
      return Language::javascript;
    case Ecosystem::go:
      return Language::go;
    case Ecosystem::maven:
      return Language::jvm;
    case Ecosystem::crates_io:
      return Language::rust;
    case Ecosystem::rubygems:
      return Language::ruby;
    case Ecosystem::packagist:
      return Language::php;
    case Ecosystem::nuget:
      return Language::dotnet;
    default:
      return std::nullopt;
  }
}

}  // namespace

std::string_view to_string(Reach reach) {
  switch (reach) {
    case Reach::imported:
      return "imported";
    case Reach::through:
      return "through";
    case Reach::not_found:
      return "not_found";
    case Reach::unknown:
      break;
  }
  return "unknown";
}

void Imports::add(std::string_view path, std::string_view source) {
  const auto language = scanner::language_of(path);
  if (!language) return;
  auto& seen = seen_[static_cast<std::size_t>(*language)];
  seen.any = true;
  auto imports = imports_of(*language, source);
  if (*language == Language::go || *language == Language::rust)
    add_words(*language, source, imports);
  seen.names.merge(std::move(imports));
}

Reach Imports::direct_reach(const Package& package) const {
  const auto language = language_of(package.ecosystem);
  if (!language) return Reach::unknown;
  const auto& [any, names] = seen_[static_cast<std::size_t>(*language)];
  if (!any) return Reach::unknown;
  const auto found = [](bool imported) { return imported ? Reach::imported : Reach::not_found; };
  switch (*language) {
    case Language::python:
      return found(python_imported(package, names));
    case Language::javascript:
      return found(below(names, package.name, "/"));
    case Language::go:
      return found(below(names, package.name, "/"));
    case Language::jvm:
      return maven_reach(package, names);
    case Language::rust:
      return found(names.contains(replaced(package.name, '-', '_')));
    case Language::ruby:
      // Bundler requires every gem of the Gemfile by itself, so that nothing says nothing.
      return below(names, package.name, "/") || below(names, replaced(package.name, '-', '/'), "/")
                 ? Reach::imported
                 : Reach::unknown;
    case Language::php:
      return found(packagist_imported(package, names));
    case Language::dotnet:
      return found(nuget_imported(package, names));
  }
  return Reach::unknown;
}

std::vector<Reach> Imports::reach_of(const PackageSet& set) const {
  std::vector<Reach> reach;
  std::deque<uint32_t> next;
  for (uint32_t i = 0; i < set.packages.size(); ++i) {
    reach.push_back(direct_reach(set.packages[i]));
    if (reach.back() == Reach::imported) next.push_back(i);
  }
  while (!next.empty()) {
    const auto at = next.front();
    next.pop_front();
    for (const auto needed : set.packages[at].depends_on) {
      if (needed >= reach.size() || reach[needed] == Reach::imported ||
          reach[needed] == Reach::through)
        continue;
      reach[needed] = Reach::through;
      next.push_back(needed);
    }
  }
  return reach;
}

}  // namespace gitaiops::scanner
