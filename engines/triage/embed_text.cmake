# Writes the text of FILE as a function's, so that programs need no file beside them:
# cmake -DFILE=… -DHEADER=engines/… -DFUNCTION="std::string_view x::y()" -DOUT=… -P embed_text.cmake
file(READ ${FILE} text)
file(WRITE ${OUT} "#include \"${HEADER}\"\n\n${FUNCTION} {\n  return R\"embedded(${text})embedded\";\n}\n")
