# find_package(nnc): the command nnc_add_model, and nnc itself as NNC_EXECUTABLE. Works where nnc is
# installed, and from a source tree with -Dnnc_DIR=<source>/cmake.
find_program(NNC_EXECUTABLE nnc
  HINTS ${CMAKE_CURRENT_LIST_DIR}/../../../bin ${CMAKE_CURRENT_LIST_DIR}/../build/release/bin)
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(nnc REQUIRED_VARS NNC_EXECUTABLE)
include(${CMAKE_CURRENT_LIST_DIR}/NncAddModel.cmake)
