#include "base/config/config.h"

#include <gtest/gtest.h>

namespace gitaiops::config {
namespace {

struct Gitlab {
  std::string id;
  std::string url;
};
struct Options {
  std::string address;
  int64_t max_bytes = 1000;
  bool enabled = true;
  Duration interval{1'000'000};
  std::string level = "info";
  std::vector<std::string> names{"gitlab-runner"};
  std::vector<Gitlab> gitlab;
};

Schema<Options> schema() {
  Schema<Options> s("agent.toml");
  s.section("controller", "Where reports go.");
  s.key("controller.address", "host:port of the controller.", &Options::address).required();
  s.key("spool.max_bytes", "Bound of the spool.", &Options::max_bytes).range(100, 5000);
  s.key("usage.enabled", "Whether to sample.", &Options::enabled);
  s.key("usage.interval", "Between samples.", &Options::interval)
      .range(100'000, 60'000'000)
      .remote();
  s.key("log.level", "How much to say.", &Options::level).one_of({"info", "debug"}).reloadable();
  s.key("runner.names", "Process names.", &Options::names);
  auto item = std::make_shared<Schema<Gitlab>>("gitlab");
  item->key("id", "Name of the instance.", &Gitlab::id).required();
  item->key("url", "Its address.", &Gitlab::url).required();
  s.array("gitlab", "GitLab instances.", &Options::gitlab, item);
  return s;
}

std::string problems(std::string_view toml) {
  const auto parsed = schema().parse(toml, "agent.toml");
  return parsed.ok() ? "" : parsed.error().to_string();
}

TEST(Config, ReadsEveryKind) {
  const auto options = schema().parse(R"(
[controller]
address = "c:1"
[spool]
max_bytes = 200
[usage]
enabled = false
interval = "250ms"
[runner]
names = ["a", "b"]
[[gitlab]]
id = "main"
url = "https://gitlab.example.com"
[[gitlab]]
id = "lab"
url = "http://lab"
)",
                                      "agent.toml");
  ASSERT_TRUE(options.ok()) << options.error().to_string();
  EXPECT_EQ(options->address, "c:1");
  EXPECT_EQ(options->max_bytes, 200);
  EXPECT_FALSE(options->enabled);
  EXPECT_EQ(options->interval.micros, 250'000);
  EXPECT_EQ(options->names, (std::vector<std::string>{"a", "b"}));
  ASSERT_EQ(options->gitlab.size(), 2u);
  EXPECT_EQ(options->gitlab[1].id, "lab");
}

TEST(Config, UnknownKeyNamesPlaceAndNearest) {
  EXPECT_EQ(problems("[controller]\naddress = \"x\"\n[spool]\nmax_byte = 200\n"),
            "agent.toml:4:1: unknown key \"spool.max_byte\"; did you mean \"spool.max_bytes\"?");
  EXPECT_EQ(problems("max_bytes = 200\n[controller]\naddress = \"x\"\n"),
            "agent.toml:1:1: unknown key \"max_bytes\"; did you mean \"spool.max_bytes\"?");
}

TEST(Config, UnknownTableNamesTheNearest) {
  EXPECT_EQ(problems("[controlller]\naddress = \"x\"\n[controller]\naddress = \"x\"\n"),
            "agent.toml:1:2: unknown table [controlller]; did you mean [controller]?");
  EXPECT_EQ(problems("[controller]\naddress = \"x\"\n[[gitlabs]]\nid = \"a\"\n"),
            "agent.toml:3:3: unknown table [gitlabs]; did you mean [[gitlab]]?");
  EXPECT_EQ(problems("[controller]\naddress = \"x\"\n[weather]\n"),
            "agent.toml:3:2: unknown table [weather]");
}

TEST(Config, SaysWhatItFoundWhereAKindHasAForm) {
  EXPECT_EQ(problems("[controller]\naddress = \"x\"\n[usage]\ninterval = \"5x\"\n"),
            "agent.toml:4:12: usage.interval: expected a duration such as \"30s\", found \"5x\"");
  EXPECT_EQ(problems("[controller]\naddress = \"x\"\n[runner]\nnames = [\"a\", 2]\n"),
            "agent.toml:4:15: runner.names: expected a list of texts; item 2 is a whole number");
}

TEST(Config, ACheckNamesTheKeyAndLoadingThePlace) {
  const auto wrong = [](const Options&) {
    return Problems{{"controller.address", "is too far away"},
                    {"gitlab.url", "stands twice", 1},
                    {"gitlab.id", "is missing its friend", 1},
                    {"usage.interval", "is not in the file"}};
  };
  const auto parsed = schema().parse(
      "[controller]\naddress = \"x\"\n[[gitlab]]\nid = \"a\"\nurl = \"u\"\n"
      "[[gitlab]]\nid = \"b\"\nurl = \"u\"\n[usage]\nenabled = true\n",
      "agent.toml", wrong);
  ASSERT_FALSE(parsed.ok());
  EXPECT_EQ(parsed.error().code(), Code::invalid_argument);
  EXPECT_EQ(parsed.error().message(),
            "agent.toml:2:11: controller.address: is too far away\n"
            "agent.toml:8:7: gitlab.url: stands twice\n"
            "agent.toml:7:6: gitlab.id: is missing its friend\n"
            "agent.toml:9:1: usage.interval: is not in the file");
}

TEST(Config, EveryProblemIsReported) {
  EXPECT_EQ(
      problems(
          "[spool]\nmax_bytes = \"big\"\n[usage]\ninterval = \"1h\"\n[log]\nlevel = \"loud\"\n"),
      "agent.toml:6:9: log.level: \"loud\" is not one of \"info\", \"debug\"\n"
      "agent.toml:2:13: spool.max_bytes: expected a whole number, found text\n"
      "agent.toml:4:12: usage.interval: 1h is out of range; expected at least 100ms and at most "
      "1m\n"
      "agent.toml:1:1: controller.address: is missing; host:port of the controller.");
}

TEST(Config, BrokenTomlNamesThePlace) {
  const auto text = problems("[controller\naddress = 1");
  EXPECT_TRUE(text.starts_with("agent.toml:1:")) << text;
  EXPECT_NE(text.find("not valid TOML"), std::string::npos);
}

TEST(Config, TablesAndArraysAreNotConfused) {
  EXPECT_EQ(problems("gitlab = 3\n[controller]\naddress = \"x\"\n"),
            "agent.toml:1:10: gitlab: expected tables written [[gitlab]], found a whole number");
  EXPECT_EQ(problems("spool = 3\n[controller]\naddress = \"x\"\n"),
            "agent.toml:1:9: spool: expected a table [spool], found a whole number");
  EXPECT_EQ(problems("[controller]\naddress = \"x\"\n[[gitlab]]\nid = \"a\"\n"),
            "agent.toml:3:1: gitlab.url: is missing; Its address.");
}

TEST(Config, TheControllerMaySetOnlyRemoteKeysWithinTheirRange) {
  Options options;
  EXPECT_TRUE(schema().set_remote(options, "usage.interval", "\"2s\"").ok());
  EXPECT_EQ(options.interval.micros, 2'000'000);
  EXPECT_EQ(schema().set_remote(options, "controller.address", "\"evil:1\"").error().code(),
            Code::permission_denied);
  EXPECT_FALSE(schema().set_remote(options, "usage.interval", "\"1ms\"").ok());
  EXPECT_FALSE(schema().set_remote(options, "usage.interval", "\"2s\"\nother = 1").ok());
  EXPECT_EQ(options.interval.micros, 2'000'000);
}

TEST(Config, ReloadNamesWhatNeedsARestart) {
  Options before, after;
  after.level = "debug";
  EXPECT_TRUE(schema().needs_restart(before, after).empty());
  after.max_bytes = 7;
  EXPECT_EQ(schema().needs_restart(before, after), (std::vector<std::string>{"spool.max_bytes"}));
}

TEST(Config, SampleIsAValidFileOnceTheRequiredKeysAreThere) {
  const auto sample = schema().sample();
  EXPECT_NE(sample.find("#interval = \"1s\""), std::string::npos) << sample;
  EXPECT_TRUE(schema().parse(sample, "sample").ok())
      << schema().parse(sample, "sample").error().to_string();
}

TEST(Config, Durations) {
  EXPECT_EQ(parse_duration("90s"), Duration{90'000'000});
  EXPECT_EQ(parse_duration("s"), std::nullopt);
  EXPECT_EQ(parse_duration("5"), std::nullopt);
  EXPECT_EQ(parse_duration("9999999999999d"), std::nullopt);
  EXPECT_EQ(to_string(Duration{86'400'000'000}), "1d");
  EXPECT_EQ(to_string(Duration{1'500'000}), "1500ms");
}

}  // namespace
}  // namespace gitaiops::config
