#include "engines/triage/paths.h"

#include <algorithm>
#include <array>
#include <string>

namespace gitaiops::triage {
namespace {

using Words = std::initializer_list<std::string_view>;

// A path in lower case, in its parts. Foreign paths can be long: what is beyond 1 KiB is not looked
// at.
struct Path {
  explicit Path(std::string_view given) : text(given.substr(0, 1024)) {
    std::ranges::transform(text, text.begin(), [](char c) {
      return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    const auto slash = text.rfind('/');
    name = std::string_view(text).substr(slash == text.npos ? 0 : slash + 1);
    folders = slash == text.npos ? "/" : "/" + text.substr(0, slash + 1);
    const auto dot = name.rfind('.');
    stem = name.substr(0, dot == 0 ? name.npos : dot);
    extension = dot == name.npos || dot == 0 ? std::string_view() : name.substr(dot + 1);
  }
  Path(const Path&) = delete;
  // One of the folders is called so.
  bool under(Words words) const {
    return std::ranges::any_of(words, [&](std::string_view word) {
      return folders.find("/" + std::string(word) + "/") != folders.npos;
    });
  }
  bool named(Words words) const { return std::ranges::find(words, name) != words.end(); }
  bool of_kind(Words words) const { return std::ranges::find(words, extension) != words.end(); }
  bool begins(Words words) const {
    return std::ranges::any_of(words, [&](auto word) { return name.starts_with(word); });
  }
  bool ends(Words words) const {
    return std::ranges::any_of(words, [&](auto word) { return name.ends_with(word); });
  }

  std::string text, folders;
  std::string_view name, stem, extension;
};

bool lock_file(const Path& path) {
  return path.extension == "lock" ||
         path.named({"package-lock.json", "npm-shrinkwrap.json", "pnpm-lock.yaml", "go.sum",
                     "packages.lock.json", "gradle.lockfile", "bun.lockb"});
}

bool generated(const Path& path) {
  return lock_file(path) ||
         path.under({"vendor", "vendored", "third_party", "node_modules", "dist", "generated",
                     "__snapshots__"}) ||
         path.ends({".min.js", ".min.css", ".pb.go", ".pb.h", ".pb.cc", "_pb2.py", ".g.dart",
                    ".snap", ".svg", ".map", ".designer.cs", "_generated.go", ".gen.go",
                    ".gen.ts"});
}

bool ci(const Path& path) {
  return path.under({".github/workflows", ".circleci", ".gitlab", ".gitlab/ci", ".buildkite",
                     ".azure-pipelines", ".ci", "ci"}) ||
         path.begins({".gitlab-ci", "jenkinsfile", ".travis", "appveyor", ".appveyor",
                      "azure-pipelines", "bitbucket-pipelines", ".drone", ".cirrus", "codecov",
                      ".codecov"});
}

bool dependency(const Path& path) {
  return lock_file(path) || path.begins({"requirements", "renovate"}) ||
         path.named({"package.json",
                     "go.mod",
                     "cargo.toml",
                     "pom.xml",
                     "gemfile",
                     "pipfile",
                     "pyproject.toml",
                     "composer.json",
                     "build.gradle.kts",
                     "libs.versions.toml",
                     "dependabot.yml",
                     "packages.config",
                     "directory.packages.props",
                     "conanfile.txt",
                     "conanfile.py",
                     "vcpkg.json",
                     "setup.cfg",
                     "mix.exs",
                     "pubspec.yaml",
                     ".gitmodules"});
}

bool build(const Path& path) {
  return path.of_kind({"cmake", "mk", "bazel", "bzl", "gradle", "nix", "spec", "gyp", "gypi", "pri",
                       "pro", "vcxproj", "am", "m4"}) ||
         path.begins({"makefile", "gnumakefile", "dockerfile", "docker-compose", "cmakelists",
                      "build.", "meson", "configure", "webpack", "rollup", "vite.config", "babel",
                      ".babelrc", "tsconfig", "gulpfile", "gruntfile", "rakefile", "setup.py"}) ||
         path.under({"packaging", "debian", "docker", "cmake", "buildscripts"});
}

bool test(const Path& path) {
  return path.under({"test", "tests", "testing", "spec", "specs", "__tests__", "testdata", "e2e",
                     "unittests", "fixtures", "fuzz"}) ||
         path.begins({"test_", "test-", "conftest"}) || path.stem == "test" ||
         path.stem == "tests" ||
         (path.stem.ends_with("_test") || path.stem.ends_with("-test") ||
          path.stem.ends_with(".test") || path.stem.ends_with("_tests") ||
          path.stem.ends_with(".spec") || path.stem.ends_with("_spec") ||
          path.stem.ends_with("_unittest") ||
          (path.of_kind({"java", "kt", "cs", "scala", "swift", "php"}) &&
           (path.stem.ends_with("test") || path.stem.ends_with("tests"))));
}

bool docs(const Path& path) {
  return path.of_kind({"md", "rst", "adoc", "txt", "mdx", "markdown", "tex", "1", "7", "8"}) ||
         path.under({"doc", "docs", "documentation", "man", "website"}) ||
         path.begins({"readme", "changelog", "changes", "license", "licence", "contributing",
                      "authors", "maintainers", "news", "codeowners"});
}

bool migration(const Path& path) {
  return path.of_kind({"sql", "ddl"}) ||
         path.under({"migrations", "migration", "migrate", "db/migrate", "alembic", "flyway",
                     "liquibase"}) ||
         path.named({"schema.rb", "structure.sql", "schema.prisma"});
}

}  // namespace

bool is_lock_file(std::string_view path) {
  return lock_file(Path(path));
}

bool is_read_by_people(std::string_view path) {
  return !generated(Path(path));
}

Role role_of(std::string_view given) {
  const Path path(given);
  if (ci(path)) return Role::ci;
  if (dependency(path)) return Role::dependency;
  if (generated(path)) return Role::generated;
  if (migration(path)) return Role::migration;
  if (test(path)) return Role::test;
  if (build(path)) return Role::build;
  if (docs(path)) return Role::docs;
  if (path.of_kind({"json", "yaml", "yml", "toml", "ini", "cfg", "conf", "properties", "xml", "env",
                    "editorconfig"}) ||
      path.name.starts_with("."))
    return Role::config;
  return Role::code;
}

}  // namespace gitaiops::triage
