# Writes OUTPUT, a C++ initialiser list of {name, text} with the content of each of FILES.
set(content "")
foreach(file IN LISTS FILES)
  file(READ ${file} text)
  get_filename_component(name ${file} NAME)
  string(APPEND content "{\"prelude/${name}\", R\"prelude(${text})prelude\"},\n")
endforeach()
file(WRITE ${OUTPUT} "${content}")
