// Advisories and a lock file that look like real ones, for measuring.
#pragma once

#include <string>

namespace gitaiops::bench {

// As real feeds are: most records name one package and one or two ranges, some many versions.
// `packages`: how many names there are in each of five ecosystems together.
inline std::string advisory_record(int number, int packages) {
  const std::string n = std::to_string(number),
                    package = "package-" + std::to_string(number % packages);
  static constexpr const char* kEcosystems[] = {"npm", "PyPI", "Go", "Maven", "crates.io"};
  std::string versions;
  for (int i = 0; i < number % 34; ++i)
    versions += (i ? ",\"0." : "\"0.") + std::to_string(i) + ".1\"";
  return R"({"id":"TEST-)" + n + R"(","modified":"2026-01-01T00:00:00Z","aliases":["CVE-2026-)" +
         n + R"("],"summary":"Crafted input makes )" + package +
         R"( read beyond its buffer","severity":[{"type":"CVSS_V3","score":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H"}],)"
         R"("affected":[{"package":{"ecosystem":")" +
         kEcosystems[number % 5] + R"(","name":")" + package +
         R"("},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"1.)" +
         std::to_string(number % 60) + R"(.3"},{"introduced":"2.0.0"},{"fixed":"2.)" +
         std::to_string(number % 9) + R"(.0"}]}],"versions":[)" + versions + "]}]}";
}

// A package-lock.json in which each package needs the next three. `name`: what stands before the
// number. Of the records above some three in a hundred concern these versions, as in real trees.
inline std::string package_lock(int packages, const std::string& name) {
  const std::string hash(86, 'A');
  std::string out =
      "{\n  \"name\": \"shop\",\n  \"lockfileVersion\": 3,\n  \"packages\": {\n    \"\": "
      "{\"dependencies\": {\"" +
      name + "0\": \"^1.0.0\"}}";
  for (int i = 0; i < packages; ++i) {
    const std::string n = std::to_string(i);
    std::string needs;
    for (int k = i + 1; k <= i + 3 && k < packages; ++k)
      needs += (needs.empty() ? "" : ",") + std::string("\n        \"") + name + std::to_string(k) +
               "\": \"^1.2.0\"";
    out += ",\n    \"node_modules/" + name + n + "\": {\n      \"version\": \"1.57." + n +
           "\",\n      \"resolved\": \"https://registry.example/" + name + n + "/-/" + name + n +
           "-1.57." + n + ".tgz\",\n      \"integrity\": \"sha512-" + hash +
           "==\",\n      \"license\": \"MIT\",\n      \"dependencies\": {" + needs +
           "\n      },\n      \"engines\": {\n        \"node\": \">=18\"\n      }\n    }";
  }
  return out + "\n  }\n}\n";
}

}  // namespace gitaiops::bench
