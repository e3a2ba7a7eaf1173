# popular_names.txt → a C++ source with its text: cmake -DFILE=… -DOUT=… -P embed_names.cmake
file(STRINGS ${FILE} lines ENCODING UTF-8)
set(text "namespace gitaiops::scanner::provenance {\nextern const char kPopularNames[];\nconst char kPopularNames[] =\n")
foreach(line IN LISTS lines)
  string(APPEND text "    \"${line}\\n\"\n")
endforeach()
string(APPEND text "    \"\";\n}  // namespace gitaiops::scanner::provenance\n")
file(WRITE ${OUT} "${text}")
