//===- Library.cpp - Archives and shared libraries ------------------------===//
//
// LLVM's archive writer and LLD, in process.
//
//===----------------------------------------------------------------------===//
#include "nnc/Package/Library.h"

#include "lld/Common/Driver.h"
#include "llvm/Object/ArchiveWriter.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FileUtilities.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/raw_ostream.h"

LLD_HAS_DRIVER(elf)

namespace nnc {

llvm::Expected<std::string> makeArchive(llvm::StringRef object, llvm::StringRef name) {
  std::vector<llvm::NewArchiveMember> members;
  members.emplace_back(llvm::MemoryBufferRef(object, name));
  auto archive = llvm::writeArchiveToBuffer(members, llvm::SymtabWritingMode::NormalSymtab,
                                            llvm::object::Archive::K_GNU, /*Deterministic=*/true,
                                            /*Thin=*/false);
  if (!archive)
    return archive.takeError();
  return (*archive)->getBuffer().str();
}

/// A file that is removed at the end of its scope.
static llvm::Expected<std::unique_ptr<llvm::FileRemover>>
writeTemporary(llvm::StringRef bytes, llvm::SmallVectorImpl<char> &path) {
  int descriptor;
  if (std::error_code error = llvm::sys::fs::createTemporaryFile("nnc", "o", descriptor, path))
    return llvm::createStringError(error, "cannot write a temporary file");
  llvm::raw_fd_ostream stream(descriptor, /*shouldClose=*/true);
  stream << bytes;
  stream.flush();
  if (stream.has_error()) {
    std::error_code error = stream.error();
    stream.clear_error();
    return llvm::createStringError(error, "cannot write a temporary file");
  }
  return std::make_unique<llvm::FileRemover>(
      llvm::Twine(llvm::StringRef(path.data(), path.size())));
}

/// What LLD makes of `objects`; `name` is for messages.
static llvm::Expected<std::string> link(llvm::ArrayRef<llvm::StringRef> objects,
                                        llvm::ArrayRef<const char *> flags, llvm::StringRef name) {
  std::vector<std::unique_ptr<llvm::FileRemover>> removers;
  std::vector<llvm::SmallString<128>> paths(objects.size() + 1);
  for (auto [index, path] : llvm::enumerate(paths)) {
    auto remover = writeTemporary(index < objects.size() ? objects[index] : "", path);
    if (!remover)
      return remover.takeError();
    removers.push_back(std::move(*remover));
  }
  std::vector<const char *> arguments = {"ld.lld"};
  llvm::append_range(arguments, flags);
  for (llvm::SmallString<128> &path : llvm::MutableArrayRef(paths).drop_back())
    arguments.push_back(path.c_str());
  llvm::append_range(arguments, std::vector<const char *>{"-o", paths.back().c_str()});
  std::string messages;
  llvm::raw_string_ostream stream(messages);
  lld::Result result = lld::lldMain(arguments, stream, stream, {{lld::Gnu, &lld::elf::link}});
  if (result.retCode != 0)
    return llvm::createStringError("cannot link " + name.str() + ": " + messages);
  auto bytes = llvm::MemoryBuffer::getFile(paths.back());
  if (!bytes)
    return llvm::createStringError(bytes.getError(), "cannot read what was linked");
  return (*bytes)->getBuffer().str();
}

llvm::Expected<std::string> joinObjects(llvm::StringRef first, llvm::StringRef second) {
  return link({first, second}, {"-r"}, "two objects");
}

llvm::Expected<std::string> makeSharedLibrary(llvm::StringRef object, llvm::StringRef soname) {
  std::string name = ("-soname=" + soname).str();
  return link({object}, {"-shared", "--build-id=none", "--gc-sections", name.c_str()}, soname);
}

} // namespace nnc
