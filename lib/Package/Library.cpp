//===- Library.cpp - Archives and shared libraries ------------------------===//
//
// LLVM's archive writer and LLD, in process.
//
//===----------------------------------------------------------------------===//
#include "nnc/Package/Library.h"

#include "nnc/Support/TemporaryFile.h"

#include "lld/Common/Driver.h"
#include "llvm/Object/ArchiveWriter.h"
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

/// What LLD makes of `objects`; `name` is for messages.
static llvm::Expected<std::string> link(llvm::ArrayRef<llvm::StringRef> objects,
                                        llvm::ArrayRef<const char *> flags, llvm::StringRef name) {
  std::vector<TemporaryFile> files;
  for (size_t index = 0; index <= objects.size(); ++index) {
    llvm::StringRef bytes = index < objects.size() ? objects[index] : "";
    Result<TemporaryFile> file = TemporaryFile::make(".o", bytes);
    if (!file)
      return llvm::createStringError(file.error().what());
    files.push_back(std::move(*file));
  }
  std::vector<const char *> arguments = {"ld.lld"};
  llvm::append_range(arguments, flags);
  for (const TemporaryFile &file : llvm::ArrayRef(files).drop_back())
    arguments.push_back(file.path().c_str());
  arguments.insert(arguments.end(), {"-o", files.back().path().c_str()});
  std::string messages;
  llvm::raw_string_ostream stream(messages);
  lld::Result result = lld::lldMain(arguments, stream, stream, {{lld::Gnu, &lld::elf::link}});
  if (result.retCode != 0)
    return llvm::createStringError("cannot link " + name.str() + ": " + messages);
  auto bytes = llvm::MemoryBuffer::getFile(files.back().path());
  if (!bytes)
    return llvm::createStringError(bytes.getError(), "cannot read what was linked");
  return (*bytes)->getBuffer().str();
}

llvm::Expected<std::string> joinObjects(llvm::ArrayRef<std::string> objects) {
  return link(std::vector<llvm::StringRef>(objects.begin(), objects.end()), {"-r"},
              "several objects");
}

llvm::Expected<std::string> makeSharedLibrary(llvm::StringRef object, llvm::StringRef soname) {
  std::string name = ("-soname=" + soname).str();
  return link({object}, {"-shared", "--build-id=none", "--gc-sections", name.c_str()}, soname);
}

} // namespace nnc
