# find_package(nnc): the command nnc_add_model, nnc itself as NNC_EXECUTABLE, and the target nnc::rt, a
# pool of threads for the programs that want one, and what objects for a GPU need. Works where nnc is installed, and from a source tree
# with -Dnnc_DIR=<source>/cmake.
find_program(NNC_EXECUTABLE nnc
  HINTS ${CMAKE_CURRENT_LIST_DIR}/../../../bin ${CMAKE_CURRENT_LIST_DIR}/../build/release/bin)
find_library(NNC_RT libnnc_rt.a
  HINTS ${CMAKE_CURRENT_LIST_DIR}/../.. ${CMAKE_CURRENT_LIST_DIR}/../build/release/lib)
find_path(NNC_RT_INCLUDE nnc_rt.h
  HINTS ${CMAKE_CURRENT_LIST_DIR}/../../../include ${CMAKE_CURRENT_LIST_DIR}/../include/nnc/Runtime)
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(nnc REQUIRED_VARS NNC_EXECUTABLE NNC_RT
                                  NNC_RT_INCLUDE)
if(NOT TARGET nnc::rt)
  find_package(Threads REQUIRED)
  add_library(nnc::rt STATIC IMPORTED)
  set_target_properties(nnc::rt PROPERTIES
    IMPORTED_LOCATION ${NNC_RT}
    INTERFACE_INCLUDE_DIRECTORIES ${NNC_RT_INCLUDE}
    INTERFACE_LINK_LIBRARIES "Threads::Threads;${CMAKE_DL_LIBS}")
endif()
include(${CMAKE_CURRENT_LIST_DIR}/NncAddModel.cmake)
