// Makes prior.txt, the risk model that is shipped, from labelled changes of several projects:
//
//   prior_maker FILE.csv… > engines/triage/risk/prior.txt
#include <cstdio>
#include <fstream>
#include <sstream>

#include "engines/triage/risk/labelled_csv.h"
#include "engines/triage/risk/model.h"

int main(int argc, char** argv) {
  using namespace gitaiops::triage::risk;
  std::vector<std::vector<Example>> projects;
  for (int i = 1; i < argc; ++i) {
    std::stringstream text;
    text << std::ifstream(argv[i]).rdbuf();
    auto examples = read_labelled(text.str(), Labels::needed);
    if (!examples.ok())
      return std::fprintf(stderr, "%s: %s\n", argv[i], examples.error().to_string().c_str()), 2;
    projects.push_back(*std::move(examples));
  }
  const auto model = train_general(projects).to_text();
  return std::fwrite(model.data(), 1, model.size(), stdout) == model.size() ? 0 : 1;
}
