#include "engines/scanner/reachability/reachability.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gitaiops::scanner {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

Package package(Ecosystem ecosystem, std::string name, std::vector<uint32_t> needs = {}) {
  Package p;
  p.ecosystem = ecosystem;
  p.name = std::move(name);
  p.depends_on = std::move(needs);
  return p;
}

Reach reach(Ecosystem ecosystem, std::string name, std::string_view path, std::string_view source) {
  Imports imports;
  imports.add(path, source);
  PackageSet set;
  set.packages = {package(ecosystem, std::move(name))};
  return imports.reach_of(set).front();
}

TEST(ImportsOf, Python) {
  EXPECT_THAT(imports_of(Language::python,
                         "import os, requests as r\n"
                         "from google.cloud import storage\n"
                         "from . import own\n"
                         "from .own import x\n"
                         "  m = importlib.import_module('yaml.loader')\n"
                         "important = 1\n"),
              ElementsAre("google.cloud", "os", "requests", "yaml.loader"));
}

TEST(ImportsOf, JavaScript) {
  EXPECT_THAT(imports_of(Language::javascript,
                         "import x from 'lodash';\n"
                         "import '@scope/styles/main.css'\n"
                         "} from \"react\"\n"
                         "const a = require('express'), b = require( './own');\n"
                         "await import(`chalk`)\n"
                         "// import 'gone'\n"
                         "export * from '../own'\n"),
              ElementsAre("@scope/styles/main.css", "chalk", "express", "lodash", "react"));
}

TEST(ImportsOf, Go) {
  EXPECT_THAT(imports_of(Language::go,
                         "package main\n"
                         "import \"fmt\"\n"
                         "import (\n"
                         "\t\"golang.org/x/net/html\"\n"
                         "\tyaml \"gopkg.in/yaml.v3\" // why\n"
                         ")\n"),
              ElementsAre("fmt", "golang.org/x/net/html", "gopkg.in/yaml.v3"));
}

TEST(ImportsOf, TheOthers) {
  EXPECT_THAT(imports_of(Language::jvm, "import static org.junit.Assert.*;\nimport a.b.C\n"),
              ElementsAre("a.b.C", "org.junit.Assert."));
  EXPECT_THAT(imports_of(Language::rust,
                         "use serde::Deserialize;\npub use tokio::spawn;\nextern crate libc;\n"
                         "let x = chrono::Utc::now();\n"),
              ElementsAre("chrono", "libc", "serde", "tokio"));
  EXPECT_THAT(imports_of(Language::ruby, "require 'nokogiri'\nrequire_relative 'own'\n"),
              ElementsAre("nokogiri"));
  EXPECT_THAT(imports_of(Language::php,
                         "use Symfony\\Component\\Yaml\\Yaml;\n"
                         "use function GuzzleHttp\\json_decode;\n"),
              ElementsAre("GuzzleHttp\\json_decode", "Symfony\\Component\\Yaml\\Yaml"));
  EXPECT_THAT(imports_of(Language::dotnet,
                         "using Newtonsoft.Json;\nusing var x = new Y();\n"
                         "using (var s = F.Open()) {\nglobal using Dapper;\n"),
              ElementsAre("Dapper", "Newtonsoft.Json"));
}

TEST(Reach, NamesOfImportsFindTheirPackages) {
  EXPECT_EQ(reach(Ecosystem::pypi, "PyYAML", "a.py", "import yaml"), Reach::imported);
  EXPECT_EQ(reach(Ecosystem::pypi, "google-cloud-storage", "a.py", "import google.cloud.storage"),
            Reach::imported);
  EXPECT_EQ(reach(Ecosystem::pypi, "Flask_Login", "a.py", "from flask_login import x"),
            Reach::imported);
  EXPECT_EQ(reach(Ecosystem::pypi, "flask", "a.py", "from flask_login import x"), Reach::not_found);
  EXPECT_EQ(reach(Ecosystem::npm, "@scope/styles", "a.ts", "import '@scope/styles/m.css'"),
            Reach::imported);
  EXPECT_EQ(reach(Ecosystem::npm, "lodash", "a.js", "import 'lodash-es'"), Reach::not_found);
  EXPECT_EQ(reach(Ecosystem::go, "golang.org/x/net", "a.go", "import \"golang.org/x/net/html\""),
            Reach::imported);
  EXPECT_EQ(reach(Ecosystem::maven, "com.fasterxml.jackson.core:jackson-databind", "A.java",
                  "import com.fasterxml.jackson.databind.ObjectMapper;"),
            Reach::imported);
  EXPECT_EQ(reach(Ecosystem::maven, "com.google.guava:guava", "A.kt", "import com.google.common.x"),
            Reach::imported);
  EXPECT_EQ(reach(Ecosystem::maven, "commons-io:commons-io", "A.java", "import java.util.List;"),
            Reach::not_found);
  EXPECT_EQ(reach(Ecosystem::crates_io, "serde-json", "a.rs", "serde_json::to_string(&x)"),
            Reach::imported);
  EXPECT_EQ(reach(Ecosystem::packagist, "guzzlehttp/guzzle", "a.php", "use GuzzleHttp\\Client;"),
            Reach::imported);
  EXPECT_EQ(reach(Ecosystem::nuget, "Newtonsoft.Json", "a.cs", "using Newtonsoft.Json.Linq;"),
            Reach::imported);
}

TEST(Reach, WhatCannotBeToldIsUnknown) {
  EXPECT_EQ(reach(Ecosystem::pypi, "requests", "a.go", "import \"fmt\""), Reach::unknown);
  EXPECT_EQ(reach(Ecosystem::rubygems, "rails", "a.rb", "class A; end"), Reach::unknown)
      << "Bundler requires what the Gemfile names";
  EXPECT_EQ(reach(Ecosystem::hex, "plug", "a.ex", "use Plug"), Reach::unknown);
}

TEST(Reach, WhatAnImportedPackageNeedsIsReachedThroughIt) {
  Imports imports;
  imports.add("a.js", "require('express')");
  PackageSet set;
  set.packages = {package(Ecosystem::npm, "express", {1}),
                  package(Ecosystem::npm, "body-parser", {2}),
                  package(Ecosystem::npm, "qs", {1}),        // a cycle
                  package(Ecosystem::npm, "jest", {4, 99}),  // 99: no such package
                  package(Ecosystem::npm, "ansi")};
  EXPECT_THAT(imports.reach_of(set), ElementsAre(Reach::imported, Reach::through, Reach::through,
                                                 Reach::not_found, Reach::not_found));
}

TEST(ImportsOf, AnyBytesAreAccepted) {
  for (const auto language : {Language::python, Language::javascript, Language::go, Language::jvm,
                              Language::rust, Language::ruby, Language::php, Language::dotnet}) {
    EXPECT_THAT(imports_of(language, ""), IsEmpty());
    EXPECT_THAT(imports_of(language, std::string_view("\0\xff'\"`\n::\n", 9)), IsEmpty());
    imports_of(language, "import\nfrom\nuse\nusing\nrequire\nrequire('\nimport (\nopen =");
  }
}

TEST(Symbols, AreSoughtInFilesThatImportThem) {
  Imports imports;
  imports.add("a.go", "package a\nimport \"a.b/yaml\"\nfunc f() { yaml.Marshal(x) }\n");
  imports.add("b.go", "package b\nfunc Unmarshal() {}\n");
  const auto use = [&](const std::vector<AffectedSymbols>& symbols) {
    const auto evidence = imports.evidence_of(Ecosystem::go, symbols);
    return std::string(to_string(evidence.use)) + " " + evidence.which;
  };
  EXPECT_EQ(use({{"a.b/yaml", {"Unmarshal"}}}), "not_named ");
  EXPECT_EQ(use({{"a.b/yaml", {"Unmarshal", "Marshal"}}}), "named a.b/yaml.Marshal");
  EXPECT_EQ(use({{"a.b/yaml/deep", {"Marshal"}}}), "not_named ");
  EXPECT_EQ(use({{"a.b/yaml", {}}}), "named a.b/yaml");
  EXPECT_EQ(use({}), "unknown ");
  EXPECT_EQ(imports.evidence_of(Ecosystem::npm, {{"a.b/yaml", {}}}).use, SymbolUse::unknown);
}

TEST(Symbols, OfRustAreFoundBehindDotsAndColons) {
  Imports imports;
  imports.add("src/main.rs", "use small_vec::SmallVec;\nfn main() { v.insert_many(0, x); }\n");
  EXPECT_EQ(imports.evidence_of(Ecosystem::crates_io, {{"small-vec", {"insert_many"}}}).which,
            "small-vec::insert_many");
  EXPECT_EQ(imports.evidence_of(Ecosystem::crates_io, {{"small-vec", {"drain"}}}).use,
            SymbolUse::not_named);
  EXPECT_EQ(imports.evidence_of(Ecosystem::go, {{"small-vec", {"drain"}}}).use, SymbolUse::unknown);
}

}  // namespace
}  // namespace gitaiops::scanner
