//===- TestFiles.h - Reading this folder's inputs ----------------*- C++ -*-===//
#ifndef NNC_TEST_UNIT_SYNTAX_TESTFILES_H
#define NNC_TEST_UNIT_SYNTAX_TESTFILES_H

#include <fstream>
#include <sstream>
#include <string>

/// The text of test/unit/Syntax/Inputs/NAME.
inline std::string readInput(const std::string &name) {
  std::ifstream file(NNC_SOURCE_DIR "/test/unit/Syntax/Inputs/" + name, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

#endif // NNC_TEST_UNIT_SYNTAX_TESTFILES_H
