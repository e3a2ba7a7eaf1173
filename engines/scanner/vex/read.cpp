#include <unordered_map>

#include "engines/scanner/documents/document.h"
#include "engines/scanner/vex/vex.h"

namespace gitaiops::scanner {
namespace {

using documents::Value;

constexpr std::size_t kMaxStatements = 100'000;

std::string joined(std::string_view a, std::string_view b) {
  if (a.empty() || b.empty()) return std::string(a) + std::string(b);
  return std::string(a) + ": " + std::string(b);
}

void add(std::vector<std::string>& to, std::string_view text) {
  if (!text.empty()) to.emplace_back(text);
}

// ---- OpenVEX ----

// "pkg:…" or {"@id": …, "identifiers": {"purl": …}, "subcomponents": […]}.
void add_component(Value item, std::vector<std::string>& to) {
  if (item.is_string()) return add(to, item.text());
  add(to, item["@id"].text());
  add(to, item["identifiers"]["purl"].text());
}

std::optional<VexStatus> openvex_status(std::string_view text) {
  if (text == "not_affected") return VexStatus::not_affected;
  if (text == "fixed") return VexStatus::fixed;
  if (text == "affected") return VexStatus::affected;
  if (text == "under_investigation") return VexStatus::under_investigation;
  return std::nullopt;
}

// Why a statement cannot be taken; empty: it can.
std::string openvex_statement(Value item, VexStatement& out) {
  const auto vulnerability = item["vulnerability"];
  if (vulnerability.is_string()) {
    add(out.names, vulnerability.text());
  } else {
    add(out.names, vulnerability["name"].text());
    for (const auto alias : vulnerability["aliases"]) add(out.names, alias.text());
  }
  if (out.names.empty()) return "it names no vulnerability";
  const auto status = openvex_status(item["status"].text());
  if (!status) return "\"status\" is none that OpenVEX has";
  out.status = *status;
  const auto justification = item["justification"].text();
  const auto impact = item["impact_statement"].text();
  if (*status == VexStatus::not_affected && justification.empty() && impact.empty())
    return "\"not_affected\" needs a justification or an impact statement";
  out.why = joined(justification, impact);
  for (const auto product : item["products"]) {
    if (product["subcomponents"]) {
      for (const auto component : product["subcomponents"]) add_component(component, out.packages);
    } else {
      add_component(product, out.products);
    }
  }
  // v0.0.1 has them beside the products.
  for (const auto component : item["subcomponents"]) add_component(component, out.packages);
  if (out.packages.empty() && out.products.empty()) return "it names no product";
  return {};
}

void read_openvex(Value root, VexDocument& out) {
  const auto when = root["timestamp"].text();
  for (const auto item : root["statements"]) {
    if (out.statements.size() == kMaxStatements) break;
    VexStatement one;
    one.line = item.line();
    one.since = item["timestamp"] ? item["timestamp"].text() : when;
    if (auto why = openvex_statement(item, one); !why.empty()) {
      out.refused.push_back({{}, one.line, std::move(why)});
    } else {
      out.statements.push_back(std::move(one));
    }
  }
}

// ---- CycloneDX ----

std::optional<VexStatus> cyclonedx_status(std::string_view state) {
  if (state == "not_affected" || state == "false_positive") return VexStatus::not_affected;
  if (state == "resolved" || state == "resolved_with_pedigree") return VexStatus::fixed;
  if (state == "exploitable") return VexStatus::affected;
  if (state == "in_triage") return VexStatus::under_investigation;
  return std::nullopt;
}

class CycloneDxVex {
 public:
  CycloneDxVex(Value root, VexDocument& out) : out_(out) {
    remember(root["components"], 0);
    root_ = root["metadata"]["component"]["bom-ref"].text();
    const auto when = root["metadata"]["timestamp"].text();
    for (const auto item : root["vulnerabilities"]) {
      // A bill that lists vulnerabilities says nothing of them until somebody analysed them.
      const auto analysis = item["analysis"];
      if (!analysis["state"] || out_.statements.size() == kMaxStatements) continue;
      statement(item, analysis, when);
    }
  }

 private:
  static constexpr int kMaxNesting = 32;

  void remember(Value components, int depth) {
    if (depth == kMaxNesting) return;
    for (const auto component : components) {
      purls_.emplace(component["bom-ref"].text(), component["purl"].text());
      remember(component["components"], depth + 1);
    }
  }

  void statement(Value item, Value analysis, std::string_view when) {
    VexStatement one;
    one.line = item.line();
    add(one.names, item["id"].text());
    for (const auto reference : item["references"]) add(one.names, reference["id"].text());
    const auto status = cyclonedx_status(analysis["state"].text());
    if (one.names.empty() || !status) {
      out_.refused.push_back({{},
                              one.line,
                              one.names.empty() ? "it names no vulnerability"
                                                : "\"state\" is none that CycloneDX has"});
      return;
    }
    one.status = *status;
    const auto justification = analysis["justification"].text();
    one.why = joined(justification.empty() ? analysis["state"].text() : justification,
                     analysis["detail"].text());
    const auto updated = analysis["lastUpdated"].text();
    one.since = updated.empty() ? when : updated;
    bool any = false;
    for (const auto affected : item["affects"]) any = true, place(affected["ref"].text(), one);
    one.everywhere = one.everywhere || !any;
    out_.statements.push_back(std::move(one));
  }

  // A bom-ref of this document, "urn:cdx:serial/version#bom-ref", or a package URL.
  void place(std::string_view ref, VexStatement& one) {
    if (ref.starts_with("urn:cdx:")) {
      const auto hash = ref.find('#');
      ref = hash == ref.npos ? std::string_view() : ref.substr(hash + 1);
    }
    if (const auto found = purls_.find(ref); found != purls_.end() && !found->second.empty()) {
      add(one.packages, found->second);
    } else if (ref.starts_with("pkg:")) {
      // Our own references go on with '#' and the file.
      add(one.packages, ref.substr(0, ref.find('#')));
    } else if (!ref.empty() && ref == root_) {
      one.everywhere = true;
    } else {
      add(one.products, ref);
    }
  }

  VexDocument& out_;
  std::string_view root_;
  std::unordered_map<std::string_view, std::string_view> purls_;
};

}  // namespace

std::string_view to_string(VexStatus status) {
  switch (status) {
    case VexStatus::not_affected:
      return "not affected";
    case VexStatus::fixed:
      return "fixed";
    case VexStatus::under_investigation:
      return "under investigation";
    case VexStatus::affected:
      break;
  }
  return "affected";
}

Result<VexDocument> read_vex(std::string_view text) {
  const auto document = documents::read_json(text);
  if (const auto& fault = document.fault())
    return Error(Code::invalid_argument,
                 "line " + std::to_string(fault->line) + ": " + fault->reason);
  const auto root = document.root();
  VexDocument out;
  if (root["@context"].text().find("openvex") != std::string_view::npos &&
      root["statements"].is_array()) {
    read_openvex(root, out);
  } else if (root["bomFormat"].text() == "CycloneDX") {
    CycloneDxVex(root, out);
  } else {
    return Error(Code::invalid_argument,
                 "it is neither OpenVEX (\"@context\" and \"statements\") nor CycloneDX "
                 "(\"bomFormat\")");
  }
  return out;
}

}  // namespace gitaiops::scanner
