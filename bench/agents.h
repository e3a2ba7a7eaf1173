// Many agents that a controller knows, played by one process: real keys and certificates, real
// mutual TLS, one stream each.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/rpc/rpc.h"

namespace gitaiops::bench {

struct Identities {
  std::string ca_pem, key_pem;            // one key for all: making keys is not measured
  std::vector<std::string> certificates;  // one for each agent
};

// Makes the controller's state in `folder`/state, with `count` enrolled agents.
Identities make_agents(const std::filesystem::path& folder, std::size_t count);
// Opens a stream and says Hello.
std::shared_ptr<rpc::ClientSession> open_stream(asio::any_io_executor executor,
                                                const Identities& identities, std::size_t agent,
                                                const std::string& address);
// Room for so many sockets, here and in what is started from here.
void raise_file_limit();

}  // namespace gitaiops::bench
