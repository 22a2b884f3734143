//===- File.h - Whole files, read and written at once ------------*- C++ -*-===//
//
// Reading a file into memory, and writing one so that nobody ever sees half of it: the bytes go to
// a temporary file beside the target, are flushed to the disk, and take the target's name in one
// step. A write that fails leaves what was there before.
//
//===----------------------------------------------------------------------===//
#ifndef NNC_SUPPORT_FILE_H
#define NNC_SUPPORT_FILE_H

#include "nnc/Support/FileCalls.h"
#include "nnc/Support/Result.h"

#include <string>
#include <string_view>

namespace nnc {

/// The bytes of the file at `path`. Pipes and devices are read to their end, up to 1 GiB.
Result<std::string> readFile(const std::string &path);

/// Makes `bytes` the content of the file at `path`: all of it or, on an error, nothing. An existing
/// file keeps its permissions; a symbolic link is followed; a pipe or device is written directly.
/// Once it returns without an error, a power failure does not undo it.
Status writeFileAtomically(const std::string &path, std::string_view bytes,
                           FileCalls &calls = FileCalls::system());

/// The operating system's reason for the error number `code`, in the style of our messages: "no
/// such file or directory".
std::string systemReason(int code);

} // namespace nnc

#endif // NNC_SUPPORT_FILE_H
