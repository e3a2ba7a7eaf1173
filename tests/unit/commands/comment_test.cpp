#include "controller/commands/comment.h"

#include <gtest/gtest.h>

namespace gitaiops::commands {
namespace {

std::vector<Command> read_all(std::string_view body) {
  return read(body).commands;
}

TEST(Comment, ALineOfItsOwnIsACommand) {
  using List = std::vector<Command>;
  EXPECT_EQ(read_all("/gitaiops explain"), (List{{Verb::explain, "", ""}}));
  EXPECT_EQ(read_all("Hm, again:\r\n\r\n  /gitaiops retry  unit: [a, b] \r\n"),
            (List{{Verb::retry, "unit: [a, b]", ""}}));
  EXPECT_EQ(read_all("/gitaiops retry `build it`"), (List{{Verb::retry, "build it", ""}}));
  EXPECT_EQ(read_all("/gitaiops retry"), (List{{Verb::retry, "", ""}}));
  EXPECT_EQ(read_all("/gitaiops\twrong-reviewer\t@ben.b"),
            (List{{Verb::wrong_reviewer, "ben.b", ""}}));
  EXPECT_EQ(read_all("/gitaiops wrong-reviewer `@ben`"), (List{{Verb::wrong_reviewer, "ben", ""}}));
  EXPECT_EQ(read_all("/gitaiops"), (List{{Verb::help, "", ""}}));
  EXPECT_EQ(read_all("/gitaiops mute\n/gitaiops unmute\n/gitaiops reviewers"),
            (List{{Verb::mute, "", ""}, {Verb::unmute, "", ""}, {Verb::reviewers, "", ""}}));
}

TEST(Comment, WhatIsNotAPersonsOwnLineIsNone) {
  for (const char* body :
       {"", "please /gitaiops retry", "/gitaiopsretry", "- /gitaiops retry", "`/gitaiops retry`",
        "> /gitaiops retry", "    /gitaiops retry", "\t/gitaiops retry",
        "```\n/gitaiops retry\n```", "```sh\n/gitaiops retry", "````\n```\n/gitaiops retry\n````",
        "~~~\n/gitaiops retry\n~~~", "~~~\n```\n/gitaiops retry\n~~~", ">>>\n/gitaiops retry\n>>>",
        "<!-- ask with\n/gitaiops retry\n-->"})
    EXPECT_TRUE(read_all(body).empty()) << body;
}

TEST(Comment, WhatFollowsAFenceOrAQuoteIsReadAgain) {
  for (const char* before : {"```\nx\n```\n", "~~~~\n~~~\n~~~~\n", ">>>\nx\n>>>\n", "> x\n",
                             "<!-- x -->\n", "<!--\nx\n-->\n", "```x``` is no fence\n"})
    EXPECT_EQ(read_all(std::string(before) + "/gitaiops help").size(), 1u) << before;
}

TEST(Comment, AMistakeIsNamed) {
  EXPECT_EQ(read_all("/gitaiops re-run")[0].mistake,
            "`re-run` is no command; `/gitaiops help` lists them.");
  EXPECT_EQ(read_all("/gitaiops mute now")[0].mistake, "`/gitaiops mute` takes nothing after it.");
  EXPECT_EQ(read_all("/gitaiops wrong-reviewer")[0].mistake,
            "`/gitaiops wrong-reviewer` takes one user name, as in `/gitaiops wrong-reviewer "
            "@ben`.");
  EXPECT_FALSE(read_all("/gitaiops wrong-reviewer @ben @cem")[0].mistake.empty());
  EXPECT_EQ(read_all("/gitaiops retry " + std::string(256, 'x'))[0].mistake,
            "What follows `/gitaiops retry` is too long for a name.");
  EXPECT_EQ(read_all("/gitaiops @all`<b>")[0].mistake,
            "``@all`<b>`` is no command; `/gitaiops help` lists them.");
}

TEST(Comment, FewCommandsOfManyAreRead) {
  std::string body;
  for (int i = 0; i < 10'000; ++i) body += "/gitaiops retry " + std::to_string(i) + "\n";
  const auto comment = read(body);
  EXPECT_EQ(comment.commands.size(), kMostCommands);
  EXPECT_TRUE(comment.more);
  std::string same;
  for (int i = 0; i < 10'000; ++i) same += "/gitaiops help\n";
  EXPECT_EQ(read(same).commands.size(), 1u);
  EXPECT_FALSE(read(same).more);
  EXPECT_TRUE(read(std::string(1'000'000, '`')).commands.empty());
}

}  // namespace
}  // namespace gitaiops::commands
