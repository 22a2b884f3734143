# nnc_add_model(TARGET FILE.nn [PREPARE] [CPU NAME] [GPU NAME] [ENTRIES KIND...] [BIND SYMBOL=SIZE...]
#               [DEPENDS FILE...])
#
# Makes a static library TARGET from a model. Whoever links it finds FILE.h, and builds after it.
#
#   PREPARE  forward takes its parameters prepared, as with nnc compile --prepare
#   CPU      processor to compile for (x86-64-v3, neoverse-n1); when left out the machine that builds, or
#            aarch64 if CMake is told to compile for that
#   GPU      GPUs to compile for, sm_90a or sm_80,sm_90a; the program runs on the CPU, too
#   ENTRIES  forward, init, step, steps, func; all when left out
#   BIND     sizes for symbolic dimensions
#   DEPENDS  files that FILE.nn imports: it is compiled again when they change
function(nnc_add_model target file)
  cmake_parse_arguments(ARG "PREPARE" "CPU;GPU" "ENTRIES;BIND;DEPENDS" ${ARGN})
  if(ARG_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "nnc_add_model: expected PREPARE, CPU, GPU, ENTRIES, BIND or DEPENDS, found ${ARG_UNPARSED_ARGUMENTS}")
  endif()
  get_filename_component(source ${file} ABSOLUTE)
  get_filename_component(stem ${file} NAME_WE)
  set(directory ${CMAKE_CURRENT_BINARY_DIR}/nnc/${target})
  set(flags)
  if(ARG_PREPARE)
    list(APPEND flags --prepare)
  endif()
  if(NOT ARG_CPU AND CMAKE_CROSSCOMPILING AND CMAKE_SYSTEM_PROCESSOR MATCHES "^(aarch64|arm64)$")
    set(ARG_CPU aarch64)
  endif()
  set(targets)
  if(ARG_GPU)
    list(APPEND targets ptx:${ARG_GPU})
  endif()
  if(ARG_CPU)
    list(APPEND targets cpu:${ARG_CPU})
  endif()
  if(targets)
    list(JOIN targets "," targets)
    list(APPEND flags --target ${targets})
  endif()
  foreach(kind IN LISTS ARG_ENTRIES)
    list(APPEND flags --entry ${kind})
  endforeach()
  foreach(binding IN LISTS ARG_BIND)
    list(APPEND flags --bind ${binding})
  endforeach()
  set(imports)
  foreach(import IN LISTS ARG_DEPENDS)
    get_filename_component(import ${import} ABSOLUTE)
    list(APPEND imports ${import})
  endforeach()
  add_custom_command(
    OUTPUT ${directory}/${stem}.o ${directory}/${stem}.h
    COMMAND ${NNC_EXECUTABLE} compile ${source} -o ${directory} ${flags}
    DEPENDS ${source} ${imports} ${NNC_EXECUTABLE}
    COMMENT "Compiling ${file}"
    VERBATIM)
  set_source_files_properties(${directory}/${stem}.o PROPERTIES EXTERNAL_OBJECT TRUE GENERATED TRUE)
  add_library(${target} STATIC ${directory}/${stem}.o ${directory}/${stem}.h)
  set_target_properties(${target} PROPERTIES LINKER_LANGUAGE C)
  target_include_directories(${target} INTERFACE ${directory})
  if(ARG_GPU)
    target_link_libraries(${target} INTERFACE nnc::rt)
  endif()
endfunction()
