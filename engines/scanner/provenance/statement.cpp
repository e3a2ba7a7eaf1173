#include "engines/scanner/provenance/statement.h"

#include <algorithm>

#include "engines/scanner/provenance/json.h"

namespace gitaiops::scanner::provenance {
namespace {

constexpr std::size_t kResourcesMax = 100000;

Error failed(std::string what) {
  return Error(Code::invalid_argument, std::move(what));
}

Result<Resource> read_resource(const Json& json, const char* name_key) {
  Resource resource;
  ASSIGN_OR_RETURN(resource.name, text_member(&json, name_key));
  const Json* digests = member(&json, "digest");
  if (!digests) return resource;
  if (!digests->is_object()) return failed("\"digest\" is no object");
  for (const auto& [algorithm, value] : digests->items()) {
    if (!value.is_string()) return failed("a digest that is no text");
    resource.digests.push_back({algorithm, value.get<std::string>()});
  }
  return resource;
}

Result<std::vector<Resource>> read_resources(const Json* object, const char* key,
                                             const char* name_key) {
  ASSIGN_OR_RETURN(const Json* list, list_member(object, key));
  if (list->size() > kResourcesMax)
    return failed("\"" + std::string(key) + "\" has more than 100000 elements");
  std::vector<Resource> out;
  for (const auto& entry : *list) {
    ASSIGN_OR_RETURN(auto resource, read_resource(entry, name_key), key);
    out.push_back(std::move(resource));
  }
  return out;
}

Result<Statement> read_statement(const Json& json) {
  Statement statement;
  ASSIGN_OR_RETURN(statement.type, text_member(&json, "_type"));
  if (statement.type != "https://in-toto.io/Statement/v1" &&
      statement.type != "https://in-toto.io/Statement/v0.1")
    return failed("the statement's _type \"" + to_utf8(statement.type) + "\" is not known");
  ASSIGN_OR_RETURN(statement.predicate_type, text_member(&json, "predicateType"));
  if (statement.predicate_type.empty()) return failed("the statement has no predicateType");
  ASSIGN_OR_RETURN(statement.subjects, read_resources(&json, "subject", "name"));
  return statement;
}

// The texts of a list of lists of ways to say the same, the first that says something.
Result<std::string> first_text(const Json* from,
                               std::initializer_list<std::initializer_list<const char*>> paths) {
  for (const auto& path : paths) {
    const Json* found = member(from, path);
    if (found && found->is_string()) return found->get<std::string>();
    if (found) return failed("\"" + std::string(*(path.end() - 1)) + "\" is no text");
  }
  return std::string();
}

std::string commit_of(const Resource& resource) {
  for (const char* algorithm : {"gitCommit", "sha1", "sha256"}) {
    for (const auto& digest : resource.digests) {
      if (digest.algorithm == algorithm) return digest.value;
    }
  }
  return {};
}

// "git+https://host/group/project@refs/tags/v1" → repository and ref.
void read_source(std::string_view uri, Provenance& provenance) {
  if (uri.starts_with("git+")) uri.remove_prefix(4);
  // An '@' before the path's first '/' is a user's ("git@host"), not a ref's.
  const auto scheme = uri.find("://");
  const auto path = uri.find('/', scheme == uri.npos ? 0 : scheme + 3);
  const auto at = path == uri.npos ? uri.npos : uri.find('@', path);
  provenance.source_repository = uri.substr(0, at);
  if (at != uri.npos && provenance.source_ref.empty()) provenance.source_ref = uri.substr(at + 1);
}

bool is_source(const Resource& resource, std::string_view repository) {
  Provenance of_resource;
  read_source(resource.name, of_resource);
  return of_resource.source_repository == repository;
}

void read_commit(Provenance& provenance) {
  for (const auto& material : provenance.materials) {
    if (!provenance.source_commit.empty()) return;
    if (is_source(material, provenance.source_repository))
      provenance.source_commit = commit_of(material);
  }
}

Result<Provenance> slsa_0_2(const Json* predicate) {
  Provenance out;
  ASSIGN_OR_RETURN(out.builder, first_text(predicate, {{"builder", "id"}}));
  ASSIGN_OR_RETURN(out.build_type, first_text(predicate, {{"buildType"}}));
  ASSIGN_OR_RETURN(out.entry_point,
                   first_text(predicate, {{"invocation", "configSource", "entryPoint"}}));
  ASSIGN_OR_RETURN(out.materials, read_resources(predicate, "materials", "uri"));
  ASSIGN_OR_RETURN(const auto uri, first_text(predicate, {{"invocation", "configSource", "uri"}}));
  if (!uri.empty()) {
    read_source(uri, out);
    ASSIGN_OR_RETURN(const auto source,
                     read_resource(*member(predicate, {"invocation", "configSource"}), "uri"));
    out.source_commit = commit_of(source);
  } else if (!out.materials.empty()) {
    read_source(out.materials.front().name, out);
  }
  read_commit(out);
  return out;
}

Result<Provenance> slsa_1(const Json* predicate) {
  const Json* definition = member(predicate, "buildDefinition");
  const Json* parameters = member(definition, "externalParameters");
  Provenance out;
  ASSIGN_OR_RETURN(out.builder, first_text(predicate, {{"runDetails", "builder", "id"}}));
  ASSIGN_OR_RETURN(out.build_type, first_text(definition, {{"buildType"}}));
  // GitHub names a workflow, GitLab a source and an entry point; both are parameters of theirs.
  ASSIGN_OR_RETURN(out.entry_point, first_text(parameters, {{"workflow", "path"}, {"entryPoint"}}));
  ASSIGN_OR_RETURN(out.source_ref, first_text(parameters, {{"workflow", "ref"}, {"ref"}}));
  ASSIGN_OR_RETURN(out.materials, read_resources(definition, "resolvedDependencies", "uri"));
  const Json* source = member(parameters, "source");
  std::string uri;
  if (source && source->is_string()) {
    uri = source->get<std::string>();
  } else {
    ASSIGN_OR_RETURN(
        uri, first_text(parameters,
                        {{"workflow", "repository"}, {"source", "uri"}, {"configSource", "uri"}}));
  }
  if (uri.empty() && !out.materials.empty()) uri = out.materials.front().name;
  read_source(uri, out);
  read_commit(out);
  return out;
}

}  // namespace

Result<Statement> parse_statement(std::string_view text) {
  ASSIGN_OR_RETURN(const Json json, parse_json(text), "statement");
  return read_statement(json);
}

bool names_artifact(const Statement& statement, const Artifact& artifact) {
  return std::any_of(statement.subjects.begin(), statement.subjects.end(),
                     [&](const Resource& subject) {
                       bool same = false;
                       for (const auto& digest : subject.digests) {
                         const auto hash = hash_named(digest.algorithm);
                         const auto expected = hash ? artifact.digest(*hash) : std::nullopt;
                         if (!expected) continue;
                         if (hex_decode(digest.value) != expected) return false;
                         same = true;
                       }
                       return same;
                     });
}

Result<Provenance> parse_provenance(std::string_view text) {
  ASSIGN_OR_RETURN(const Json json, parse_json(text), "statement");
  ASSIGN_OR_RETURN(const auto statement, read_statement(json));
  const Json* predicate = member(&json, "predicate");
  Result<Provenance> provenance = failed("");
  if (statement.predicate_type.starts_with("https://slsa.dev/provenance/v0.2"))
    provenance = slsa_0_2(predicate);
  else if (statement.predicate_type.starts_with("https://slsa.dev/provenance/v1"))
    provenance = slsa_1(predicate);
  else
    return failed("\"" + to_utf8(statement.predicate_type) +
                  "\" is no SLSA provenance of version 0.2 or 1");
  if (!provenance.ok()) return provenance.error().within("predicate");
  provenance->predicate_type = statement.predicate_type;
  return provenance;
}

}  // namespace gitaiops::scanner::provenance
