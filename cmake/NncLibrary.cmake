# The two ways to add code: nnc_library for a stage, nnc_tool for a program.
#
#   nnc_library(NAME [MLIR] SOURCES ... [LINK ...])
#
# MLIR says that the library is written against LLVM and MLIR; one without it cannot include their
# headers, which is how the runtime and the readers stay free of them. All MLIR libraries share one
# precompiled header: it takes a translation unit from seven seconds to one.

set(NNC_WARNINGS -Wall -Wextra -Wshadow -Wno-unused-parameter)
if(NNC_WERROR)
  list(APPEND NNC_WARNINGS -Werror)
endif()
if(NNC_SANITIZE)
  set(NNC_SANITIZE_FLAGS -fsanitize=address,undefined -fno-sanitize=vptr,function
                         -fno-sanitize-recover=undefined -fno-omit-frame-pointer)
  # Coverage counters, for the fuzzers to see where an input went.
  add_compile_options(-fsanitize=fuzzer-no-link)
  add_compile_options(${NNC_SANITIZE_FLAGS})
  add_link_options(${NNC_SANITIZE_FLAGS})
endif()

# LLD links these programs in a fraction of the time that GNU ld takes.
add_link_options(-fuse-ld=lld)

add_library(NncMLIRHeaders INTERFACE)
target_include_directories(NncMLIRHeaders SYSTEM INTERFACE ${LLVM_INCLUDE_DIRS} ${MLIR_INCLUDE_DIRS})
target_link_libraries(NncMLIRHeaders INTERFACE MLIR LLVM)

file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/NncPrecompiled.cpp CONTENT "")
add_library(NncPrecompiled STATIC ${CMAKE_BINARY_DIR}/NncPrecompiled.cpp)
target_link_libraries(NncPrecompiled PUBLIC NncMLIRHeaders)
target_compile_options(NncPrecompiled PRIVATE ${NNC_WARNINGS})
target_precompile_headers(NncPrecompiled PRIVATE ${CMAKE_SOURCE_DIR}/cmake/Precompiled.h)
set_source_files_properties(${CMAKE_BINARY_DIR}/NncPrecompiled.cpp PROPERTIES GENERATED TRUE)
# Lets ccache reuse objects compiled with a precompiled header.
add_compile_options($<$<COMPILE_LANG_AND_ID:CXX,Clang>:SHELL:-Xclang$<SEMICOLON>-fno-pch-timestamp>)

function(nnc_library name)
  cmake_parse_arguments(ARG "MLIR" "" "SOURCES;LINK" ${ARGN})
  add_library(${name} STATIC ${ARG_SOURCES})
  target_compile_options(${name} PRIVATE ${NNC_WARNINGS})
  target_link_libraries(${name} PUBLIC ${ARG_LINK})
  if(ARG_MLIR)
    target_link_libraries(${name} PUBLIC NncMLIRHeaders)
    target_precompile_headers(${name} REUSE_FROM NncPrecompiled)
    add_dependencies(${name} NncTableGen)
  endif()
endfunction()

function(nnc_tool name)
  cmake_parse_arguments(ARG "MLIR" "" "SOURCES;LINK" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_compile_options(${name} PRIVATE ${NNC_WARNINGS})
  target_link_libraries(${name} PRIVATE ${ARG_LINK})
  if(ARG_MLIR)
    target_link_libraries(${name} PRIVATE NncMLIRHeaders)
    target_precompile_headers(${name} REUSE_FROM NncPrecompiled)
    add_dependencies(${name} NncTableGen)
  endif()
endfunction()

# Generated headers of every dialect and pass list; filled by include/nnc/*/CMakeLists.txt.
add_custom_target(NncTableGen)
