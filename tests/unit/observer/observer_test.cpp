// The program itself: privileges, restarts, exit codes.
#include <array>

#include <sys/socket.h>
#include <sys/un.h>

#include "tests/unit/observer/fixture.h"

namespace gitaiops::agent {
namespace {

std::vector<std::string> observer_command(std::vector<std::string> agent) {
  std::vector<std::string> words = {
      binary("gitaiops-observer"), "--runner-name", runner_name(), "--",
      binary("observer_double"),   "agent"};
  words.insert(words.end(), agent.begin(), agent.end());
  return words;
}

// Lines of the agent's notes that start with the word, without it.
std::vector<std::string> notes(const std::string& file, const std::string& word) {
  std::vector<std::string> lines;
  std::istringstream text(content(file));
  for (std::string line; std::getline(text, line);)
    if (line.starts_with(word + " ")) lines.push_back(line.substr(word.size() + 1));
  return lines;
}

TEST(ObserverProgram, TheAgentHasNoCapability) {
  TempFolder temp;
  Process observer(observer_command({temp / "notes", "exit", "0"}), {});
  EXPECT_EQ(observer.wait(), 0);
  const auto starts = notes(temp / "notes", "start");
  ASSERT_EQ(starts.size(), 1u);
  for (const auto set : {"CapInh:0000000000000000", "CapPrm:0000000000000000",
                         "CapEff:0000000000000000", "CapAmb:0000000000000000"})
    EXPECT_NE(starts[0].find(set), std::string::npos) << starts[0];
  EXPECT_NE(starts[0].find("NoNewPrivs:1"), std::string::npos) << starts[0];
  if (::getuid() == 0) {
    EXPECT_NE(starts[0].find("CapBnd:0000000000000000"), std::string::npos) << starts[0];
  }
}

TEST(ObserverProgram, PassesOnHowTheAgentEnded) {
  for (const auto code : {"2", "64", "78"}) {
    TempFolder temp;
    Process observer(observer_command({temp / "notes", "exit", code}), {});
    EXPECT_EQ(observer.wait(), std::atoi(code));
    EXPECT_EQ(notes(temp / "notes", "start").size(), 1u);
  }
}

TEST(ObserverProgram, StartsAnAgentThatFailedAgain) {
  TempFolder temp;
  Process observer(observer_command({temp / "notes", "exit", "1"}), {});
  EXPECT_TRUE(eventually([&] { return notes(temp / "notes", "start").size() >= 3; }));
  observer.signal(SIGTERM);
  EXPECT_GE(observer.wait(), 0) << "it ends by itself, not by the signal's default action";
}

TEST(ObserverProgram, AKilledAgentComesBackAndGetsTheHeldTraceAgain) {
  TempFolder temp;
  FakeRunner runner(temp.path);
  Process observer(observer_command({temp / "notes", "serve"}), {});
  runner.tell("open 77 the whole text");
  ASSERT_TRUE(eventually([&] { return notes(temp / "notes", "trace").size() == 1; }));
  runner.tell("close");  // unlinked: only the observer still has it
  const auto kill_agent = [&] {
    ::kill(std::stoi(notes(temp / "notes", "start").back()), SIGKILL);
  };
  kill_agent();
  ASSERT_TRUE(eventually([&] { return notes(temp / "notes", "trace").size() == 2; }));
  kill_agent();
  ASSERT_TRUE(eventually([&] { return notes(temp / "notes", "trace").size() == 3; }));
  const auto traces = notes(temp / "notes", "trace");
  EXPECT_EQ(traces[1], traces[2]) << "from its beginning each time";
  EXPECT_NE(traces[1].find("the whole text"), std::string::npos);
  EXPECT_EQ(notes(temp / "notes", "start").size(), 3u);
}

TEST(ObserverProgram, AnAgentThatHangsIsStartedAgainAndGetsTheHeldTraceAgain) {
  TempFolder temp;
  FakeRunner runner(temp.path);
  auto words = observer_command({temp / "notes", "serve"});
  words.insert(words.begin() + 1, {"--agent-timeout", "1"});
  Process observer(words, {});
  runner.tell("open 77 the whole text");
  ASSERT_TRUE(eventually([&] { return notes(temp / "notes", "trace").size() == 1; }));
  // It waits for the next trace and asks nothing more: to the observer that is silence.
  ASSERT_TRUE(eventually([&] { return notes(temp / "notes", "trace").size() >= 2; }));
  EXPECT_NE(notes(temp / "notes", "start")[0], notes(temp / "notes", "start")[1]);
}

// What systemd would hear on NOTIFY_SOCKET.
TEST(ObserverProgram, TellsTheServiceManagerThatItIsReadyAndAlive) {
  TempFolder temp;
  const auto path = temp / "notify";
  const Fd manager(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  ASSERT_EQ(::bind(manager.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  auto words = observer_command({temp / "notes", "serve"});
  words.insert(words.begin(), {"/usr/bin/env", "NOTIFY_SOCKET=" + path, "WATCHDOG_USEC=100000"});
  Process observer(words, {});
  const auto heard = [&] {
    std::array<char, 64> text{};
    const auto n = ::recv(manager.get(), text.data(), text.size(), 0);
    return std::string(text.data(), static_cast<std::size_t>(std::max<ssize_t>(0, n)));
  };
  EXPECT_EQ(heard(), "READY=1");
  EXPECT_EQ(heard(), "WATCHDOG=1");
  EXPECT_EQ(heard(), "WATCHDOG=1");
  ASSERT_TRUE(eventually([&] { return notes(temp / "notes", "start").size() == 1; }));
  observer.signal(SIGTERM);
  for (auto words_heard = heard(); words_heard != "STOPPING=1"; words_heard = heard())
    ASSERT_EQ(words_heard, "WATCHDOG=1");
  observer.wait();
}

TEST(ObserverProgram, TheAgentEndsWithTheObserver) {
  TempFolder temp;
  Process observer(observer_command({temp / "notes", "serve"}), {});
  ASSERT_TRUE(eventually([&] { return notes(temp / "notes", "start").size() == 1; }));
  const int agent = std::stoi(notes(temp / "notes", "start")[0]);
  observer.signal(SIGKILL);
  observer.wait();
  EXPECT_TRUE(eventually([&] {
    // A zombie has ended, even where nobody collects orphans.
    const auto stat = ProcFs::open("/proc")->stat(agent);
    return !stat || stat->state == 'Z';
  }));
}

TEST(ObserverProgram, ForwardsSignalsAndEndsWithTheAgent) {
  TempFolder temp;
  Process observer(observer_command({temp / "notes", "serve"}), {});
  ASSERT_TRUE(eventually([&] { return notes(temp / "notes", "start").size() == 1; }));
  observer.signal(SIGTERM);
  EXPECT_EQ(observer.wait(), 128 + SIGTERM) << "what the agent ended with";
}

TEST(ObserverProgram, RefusesAWrongCommandLine) {
  const std::vector<std::vector<std::string>> wrong = {
      {},
      {"--"},
      {"--proc-root"},
      {"--proc-root", "--", "/bin/true"},
      {"--runner-uid", "x", "--", "/bin/true"},
      {"--agent-timeout", "0", "--", "/bin/true"},
      {"--nonsense", "1", "--", "/bin/true"},
      {"/bin/true"},
      {"--proc-root", "/nonexistent", "--", "/bin/true"}};
  for (auto words : wrong) {
    words.insert(words.begin(), binary("gitaiops-observer"));
    const Fd null(::open("/dev/null", O_WRONLY | O_CLOEXEC));
    EXPECT_EQ(Process(words, {}, -1, null.get()).wait(), 2) << words.back();
  }
  const std::vector<std::string> no_agent = {binary("gitaiops-observer"), "--", "/nonexistent"};
  EXPECT_EQ(Process(no_agent, {}).wait(), 72);
}

}  // namespace
}  // namespace gitaiops::agent
