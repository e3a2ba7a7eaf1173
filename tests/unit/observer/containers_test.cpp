// Which files of container engines are handed out: those of the known shapes, and no other.
#include "agent/observer/containers.h"

#include "tests/unit/observer/fixture.h"

namespace gitaiops::agent {
namespace {

namespace fs = std::filesystem;

const std::string kId(64, 'a');

wire::ContainerKey key(wire::Engine engine, wire::ContainerFile file, std::string_view id = kId) {
  wire::ContainerKey key;
  key.engine = static_cast<uint8_t>(engine);
  key.file = static_cast<uint8_t>(file);
  std::memcpy(key.id, id.data(), std::min(id.size(), sizeof key.id));
  return key;
}

class ContainerFoldersTest : public testing::Test {
 protected:
  void write(const std::string& file, const std::string& text = "{}") {
    fs::create_directories((temp_.path / file).parent_path());
    std::ofstream(temp_.path / file) << text;
  }
  ContainerFolders folders() const { return {temp_.path, {}}; }
  std::string open(wire::Engine engine, wire::ContainerFile file, std::string_view id = kId) const {
    const auto fd = folders().open(key(engine, file, id));
    if (!fd.ok()) return std::string(to_string(fd.error().code()));
    EXPECT_EQ(::fcntl(fd->get(), F_GETFL) & O_ACCMODE, O_RDONLY);
    std::string text(100, '\0');
    text.resize(static_cast<std::size_t>(::read(fd->get(), text.data(), text.size())));
    return text;
  }
  std::vector<std::string> listed() const {
    std::vector<std::string> ids;
    for (const auto& record : folders().list())
      ids.push_back(std::to_string(record.key.engine) +
                    std::string(record.key.id, sizeof record.key.id));
    std::sort(ids.begin(), ids.end());
    return ids;
  }
  const std::string docker_ = "var/lib/docker/containers/" + kId + "/config.v2.json";
  TempFolder temp_;
};

TEST_F(ContainerFoldersTest, ListsAndOpensEachEnginesContainers) {
  write(docker_, "docker");
  write("var/lib/containers/storage/overlay-containers/" + kId + "/userdata/config.json", "podman");
  write("var/lib/containers/storage/overlay-containers/containers.json", "names");
  write("run/containers/storage/overlay-containers/" + kId + "/userdata/pidfile", "12");
  write("run/containerd/io.containerd.runtime.v2.task/k8s.io/" + kId + "/config.json", "cri");
  write("run/containerd/io.containerd.runtime.v2.task/k8s.io/" + kId + "/init.pid", "13");
  EXPECT_EQ(listed(), (std::vector<std::string>{"1" + kId, "2" + kId, "3" + kId}));
  using wire::ContainerFile;
  using wire::Engine;
  EXPECT_EQ(open(Engine::docker, ContainerFile::state), "docker");
  EXPECT_EQ(open(Engine::podman, ContainerFile::state), "podman");
  EXPECT_EQ(open(Engine::podman, ContainerFile::names), "names");
  EXPECT_EQ(open(Engine::podman, ContainerFile::pid), "12");
  EXPECT_EQ(open(Engine::containerd, ContainerFile::state), "cri");
  EXPECT_EQ(open(Engine::containerd, ContainerFile::pid), "13");
  EXPECT_EQ(open(Engine::docker, ContainerFile::pid), to_string(Code::invalid_argument));
  EXPECT_EQ(open(Engine{9}, ContainerFile::state), to_string(Code::invalid_argument));
}

TEST_F(ContainerFoldersTest, PodmansFoldersBearTheNameOfItsStorageDriver) {
  for (const std::string driver : {"vfs", "btrfs", "zfs"}) {
    write("var/lib/containers/storage/" + driver + "-containers/" + kId + "/userdata/config.json",
          driver);
    write("run/containers/storage/" + driver + "-containers/" + kId + "/userdata/pidfile", "12");
    EXPECT_EQ(listed(), std::vector<std::string>{"2" + kId});
    EXPECT_EQ(open(wire::Engine::podman, wire::ContainerFile::state), driver);
    EXPECT_EQ(open(wire::Engine::podman, wire::ContainerFile::pid), "12");
    EXPECT_EQ(folders().describe()[1],
              "containers of podman in /var/lib/containers/storage can be read");
    fs::remove_all(temp_.path / "var/lib/containers/storage");
    fs::remove_all(temp_.path / "run/containers/storage");
  }
}

TEST_F(ContainerFoldersTest, ContainersWithUserIdsOfTheirOwnLieAFolderDeeper) {
  const std::string other(64, 'e'), hidden(64, 'c');
  write("var/lib/docker/165536.165536/containers/" + kId + "/config.v2.json", "remapped");
  write("var/lib/docker/containers/" + other + "/config.v2.json", "plain");
  write("var/lib/docker/overlay2/containers/" + hidden + "/config.v2.json");
  write("var/lib/docker/165536.x/containers/" + hidden + "/config.v2.json");
  auto expected = std::vector<std::string>{"1" + kId, "1" + other};
  std::sort(expected.begin(), expected.end());
  EXPECT_EQ(listed(), expected);
  EXPECT_EQ(open(wire::Engine::docker, wire::ContainerFile::state), "remapped");
  EXPECT_EQ(open(wire::Engine::docker, wire::ContainerFile::state, other), "plain");
  EXPECT_EQ(open(wire::Engine::docker, wire::ContainerFile::state, hidden),
            to_string(Code::not_found));
}

TEST_F(ContainerFoldersTest, WhatDoesNotLookLikeAContainerIsNone) {
  write("var/lib/docker/containers/short/config.v2.json");
  write("var/lib/docker/containers/" + std::string(64, 'A') + "/config.v2.json");
  write("var/lib/docker/containers/" + std::string(64, 'b') + "/other.json");
  EXPECT_TRUE(listed().empty());
  EXPECT_EQ(open(wire::Engine::docker, wire::ContainerFile::state, "../../../etc/passwd"),
            to_string(Code::invalid_argument));
  EXPECT_EQ(open(wire::Engine::docker, wire::ContainerFile::state), to_string(Code::not_found));
}

TEST_F(ContainerFoldersTest, NoLinkAndNothingButARegularFileIsOpened) {
  write("secret", "secret");
  const auto folder = temp_.path / "var/lib/docker/containers";
  fs::create_directories(folder / kId);
  fs::create_symlink(temp_.path / "secret", folder / kId / "config.v2.json");
  EXPECT_EQ(open(wire::Engine::docker, wire::ContainerFile::state),
            to_string(Code::permission_denied));
  const std::string fifo(64, 'f'), linked(64, 'd');
  fs::create_directories(folder / fifo);
  ASSERT_EQ(::mkfifo((folder / fifo / "config.v2.json").c_str(), 0600), 0);
  EXPECT_EQ(open(wire::Engine::docker, wire::ContainerFile::state, fifo),
            to_string(Code::permission_denied));
  write("elsewhere/config.v2.json", "secret");
  fs::create_directory_symlink(temp_.path / "elsewhere", folder / linked);
  EXPECT_EQ(open(wire::Engine::docker, wire::ContainerFile::state, linked),
            to_string(Code::permission_denied));
  EXPECT_EQ(listed(), std::vector<std::string>{"1" + linked});
}

TEST_F(ContainerFoldersTest, TheEnginesFolderItselfMayBeALinkWithinTheHost) {
  write("data/docker/containers/" + kId + "/config.v2.json", "moved");
  fs::create_directories(temp_.path / "var/lib");
  fs::create_directory_symlink("/data/docker", temp_.path / "var/lib/docker");
  EXPECT_EQ(open(wire::Engine::docker, wire::ContainerFile::state), "moved");
}

TEST_F(ContainerFoldersTest, ALogMayBeLong) {
  const auto log = "var/lib/docker/containers/" + kId + "/" + kId + "-json.log";
  write(log, "{}");
  EXPECT_EQ(open(wire::Engine::docker, wire::ContainerFile::log), "{}");
  fs::resize_file(temp_.path / log, wire::kMaxContainerFile + 1);
  EXPECT_TRUE(folders().open(key(wire::Engine::docker, wire::ContainerFile::log, kId)).ok());
}

TEST_F(ContainerFoldersTest, AFileThatIsTooLargeIsRefused) {
  write(docker_);
  fs::resize_file(temp_.path / docker_, wire::kMaxContainerFile + 1);
  EXPECT_EQ(open(wire::Engine::docker, wire::ContainerFile::state),
            to_string(Code::resource_exhausted));
}

TEST_F(ContainerFoldersTest, AStateThatIsReplacedHasAnotherVersion) {
  write(docker_);
  const auto before = folders().list().at(0).version;
  EXPECT_EQ(folders().list().at(0).version, before);
  write("fresh", "{\"a\":1}");
  fs::rename(temp_.path / "fresh", temp_.path / docker_);
  EXPECT_NE(folders().list().at(0).version, before);
}

TEST_F(ContainerFoldersTest, SaysWhichEnginesAreThere) {
  write(docker_);
  const auto lines = folders().describe();
  ASSERT_EQ(lines.size(), 3u);
  EXPECT_EQ(lines[0], "containers of docker in /var/lib/docker can be read");
  EXPECT_EQ(lines[1],
            "containers of podman: there is no /var/lib/containers/storage/overlay-containers");
}

}  // namespace
}  // namespace gitaiops::agent
