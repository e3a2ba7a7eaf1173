// build.gradle and build.gradle.kts as people write them.
#include <gtest/gtest.h>

#include "tests/unit/scanner/memory_tree.h"

namespace gitaiops::scanner {
namespace {

// "name version scope line", in the set's order.
std::vector<std::string> packages(const std::map<std::string, std::string>& files) {
  std::vector<std::string> out;
  const Inventory inventory = take_inventory(MemoryTree(files));
  for (const auto& set : inventory.sets)
    for (const auto& p : set.packages)
      out.push_back(p.name + " " + (p.version.empty() ? "(" + p.range + ")" : p.version) + " " +
                    std::string(to_string(p.scope)) + " " + std::to_string(p.line));
  return out;
}
using Lines = std::vector<std::string>;

TEST(Gradle, LiteralsMapsAndVariablesInGroovy) {
  EXPECT_EQ(packages({{"build.gradle", R"(plugins { id 'java' version '1.2.3' }
def ringVersion = '4.1'
ext { partVersion = "2.0"; versions = [bolt: '3.3'] }
dependencies {
    // implementation 'a.comment:one:1.0'
    implementation 'org.ring:plain:1.0'
    implementation "org.ring:double:$ringVersion", "org.ring:braces:${partVersion}"
    api group: 'org.ring', name: 'map', version: '1.5'
    testImplementation('org.ring:closure:0.9') {
        exclude group: 'org.other', module: 'not-me'
    }
    compileOnly "org.ring:nested:${versions.bolt}"
    implementation project(':core')
    implementation files('lib/x.jar')
    runtimeOnly 'org.ring:classifier:7.0:linux-x86_64@jar'
    implementation 'org.ring:newest:1.+'
}
)"}}),
            (Lines{"org.ring:braces 2.0 runtime 7", "org.ring:classifier 7.0 runtime 15",
                   "org.ring:closure 0.9 development 9", "org.ring:double 4.1 runtime 7",
                   "org.ring:map 1.5 runtime 8", "org.ring:nested 3.3 build 12",
                   "org.ring:newest (1.+) runtime 16", "org.ring:plain 1.0 runtime 6"}));
}

TEST(Gradle, KotlinScriptsWithCatalogueAndProperties) {
  EXPECT_EQ(
      packages({{"gradle.properties", "toolVersion=5.5\n"},
                {"gradle/libs.versions.toml", R"([versions]
ring = "1.1"
[libraries]
ring-core = { module = "org.ring:core", version.ref = "ring" }
ring_extra = "org.ring:extra:2.2"
[bundles]
rings = ["ring-core", "ring_extra"]
)"},
                {"app/build.gradle.kts", R"(val own by extra("8.8")
val toolVersion: String by project
dependencies {
    implementation(libs.ring.core)
    testImplementation(libs.bundles.rings)
    implementation("org.ring:own:$own")
    implementation("org.ring:tool:$toolVersion")
    implementation(group = "org.ring", name = "named", version = "3.0")
    implementation("org.ring", "positional", "3.1")
    implementation(kotlin("stdlib"))
    implementation(platform("org.ring:bom:9.0"))
    "customConfig"("org.ring:quoted:1.0")
    add("kapt", "org.ring:added:1.2")
    implementation("org.ring:rich") { version { strictly("6.6") } }
    implementation("org.ring:ref:${libs.versions.ring.get()}")
}
)"}}),
      (Lines{"org.jetbrains.kotlin:kotlin-stdlib () runtime 10", "org.ring:added 1.2 build 13",
             "org.ring:bom 9.0 runtime 11", "org.ring:core 1.1 runtime 4",
             "org.ring:extra 2.2 development 5", "org.ring:named 3.0 runtime 8",
             "org.ring:own 8.8 runtime 6", "org.ring:positional 3.1 runtime 9",
             "org.ring:quoted 1.0 runtime 12", "org.ring:ref 1.1 runtime 15",
             "org.ring:rich 6.6 runtime 14", "org.ring:tool 5.5 runtime 7"}));
}

TEST(Gradle, ConstraintsParentsAndIncludedScripts) {
  EXPECT_EQ(packages({{"build.gradle",
                       "ext.shared = '1.7'\nbuildscript { dependencies { classpath "
                       "'org.ring:plugin:0.1' } }\n"},
                      {"gradle/versions.gradle", "ext.included = '2.7'\n"},
                      {"lib/build.gradle", R"(apply from: "$rootDir/gradle/versions.gradle"
dependencies {
    constraints {
        implementation 'org.ring:managed:4.4'
    }
    implementation 'org.ring:managed'
    implementation "org.ring:shared:${rootProject.ext.shared}"
    implementation "org.ring:included:$included"
    implementation "org.ring:computed:${version()}"
    implementation(
        'org.ring:wrapped:1.0'
    )
}
)"}}),
            (Lines{"org.ring:plugin 0.1 build 2", "org.ring:computed () runtime 9",
                   "org.ring:included 2.7 runtime 8", "org.ring:managed 4.4 runtime 6",
                   "org.ring:shared 1.7 runtime 7", "org.ring:wrapped 1.0 runtime 11"}));
}

TEST(Gradle, ALockFileGivesTheVersions) {
  const Inventory inventory = take_inventory(MemoryTree(
      {{"build.gradle", "dependencies { implementation 'org.ring:core:1.+' }\n"},
       {"gradle.lockfile",
        "# locks\norg.ring:core:1.4=compileClasspath,runtimeClasspath\n"
        "org.ring:deep:2.0=runtimeClasspath\norg.ring:tests:3.0=testRuntimeClasspath\nempty=\n"}}));
  ASSERT_EQ(inventory.sets.size(), 1u);
  const auto& set = inventory.sets[0];
  EXPECT_EQ(set.manifest, "build.gradle");
  EXPECT_EQ(set.lock, "gradle.lockfile");
  ASSERT_EQ(set.packages.size(), 3u);
  EXPECT_EQ(set.packages[0].version, "1.4");
  EXPECT_EQ(set.packages[0].range, "1.+");
  EXPECT_TRUE(set.packages[0].direct);
  EXPECT_EQ(set.packages[0].asked_line, 1u);
  EXPECT_FALSE(set.packages[1].direct);
  EXPECT_EQ(set.packages[2].scope, Scope::development);
}

}  // namespace
}  // namespace gitaiops::scanner
