// The built-in rules as Vectorscan's bytes, made by rules_compiler at build time.
#include "engines/diagnosis/builtin.h"

asm(".pushsection .rodata\n"
    ".global gitaiops_rules_database\n"
    ".global gitaiops_rules_database_end\n"
    "gitaiops_rules_database:\n"
    ".incbin \"" GITAIOPS_RULES_DATABASE
    "\"\n"
    "gitaiops_rules_database_end:\n"
    ".popsection\n");

extern "C" const char gitaiops_rules_database[];
extern "C" const char gitaiops_rules_database_end[];

namespace gitaiops::diagnosis {

std::string_view builtin_database() {
  return {gitaiops_rules_database,
          static_cast<std::size_t>(gitaiops_rules_database_end - gitaiops_rules_database)};
}

}  // namespace gitaiops::diagnosis
