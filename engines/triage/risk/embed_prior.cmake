# Writes the shipped model as a C++ text, so that programs need no file beside them.
file(READ ${FILE} text)
file(WRITE ${OUT} "#include \"engines/triage/risk/model_parts.h\"\n\nnamespace gitaiops::triage::risk {\nstd::string_view prior_text() {\n  return R\"prior(${text})prior\";\n}\n}  // namespace gitaiops::triage::risk\n")
