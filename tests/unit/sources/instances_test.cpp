#include "agent/sources/instances.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gitaiops::agent {
namespace {

using testing::HasSubstr;

InstanceMap map_of(const std::vector<GitLabInstance>& instances) {
  return InstanceMap::make(instances).value();
}

struct Case {
  std::string url, instance, project;
};

TEST(InstanceMap, LocatesProjects) {
  const auto map = map_of({{"lab", "https://gitlab.example.com"},
                           {"sub", "https://gitlab.example.com/forge/"},
                           {"local", "http://127.0.0.1:18080"},
                           {"six", "http://[::1]:8080"}});
  const Case cases[] = {
      {"https://gitlab.example.com/grp/demo.git", "lab", "grp/demo"},
      {"https://gitlab-ci-token:se:cr@et@GitLab.Example.com:443/grp/sub/demo.git", "lab",
       "grp/sub/demo"},
      {"https://gitlab.example.com/forge/grp/demo.git", "sub", "grp/demo"},
      {"https://gitlab.example.com/forgery/demo.git", "lab", "forgery/demo"},
      {"http://127.0.0.1:18080/grp/demo/-/jobs/4242", "local", "grp/demo"},
      {"http://[::1]:8080/grp/demo.git?x#y", "six", "grp/demo"},
      {" https://gitlab.example.com./grp/demo.git/ ", "lab", "grp/demo"},
  };
  for (const auto& c : cases) {
    const auto place = map.locate(c.url);
    ASSERT_TRUE(place.ok()) << c.url << ": " << place.error().to_string();
    EXPECT_EQ(place->instance, c.instance) << c.url;
    EXPECT_EQ(place->project_path, c.project) << c.url;
  }
}

TEST(InstanceMap, GuessesNothing) {
  const auto map = map_of({{"lab", "https://gitlab.example.com"}});
  for (const auto* url :
       {"https://gitlab.example.com:8443/grp/demo.git", "http://gitlab.example.com/grp/demo.git",
        "https://example.com/grp/demo.git", "https://u:p@evil.test/gitlab.example.com/demo.git"}) {
    const auto place = map.locate(url);
    ASSERT_FALSE(place.ok()) << url;
    EXPECT_EQ(place.error().code(), Code::not_found) << url;
    EXPECT_THAT(place.error().message(), testing::Not(HasSubstr("u:p")));
  }
  for (const auto* url :
       {"", "grp/demo", "git@gitlab.example.com:grp/demo.git", "https://", "https:///x/y",
        "https://gitlab.example.com/demo", "https://gitlab.example.com/grp/../demo",
        "https://gitlab.example.com//demo", "https://gitlab.example.com:99999/a/b"})
    EXPECT_FALSE(map.locate(url).ok()) << url;
}

TEST(InstanceMap, RefusesAUrlThatIsNone) {
  const auto map = InstanceMap::make({{"lab", "gitlab.example.com"}});
  ASSERT_FALSE(map.ok());
  EXPECT_THAT(map.error().to_string(), HasSubstr("'lab'"));
}

}  // namespace
}  // namespace gitaiops::agent
