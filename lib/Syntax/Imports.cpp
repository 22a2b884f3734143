//===- Imports.cpp - Reading imported files -------------------------------===//
//
// Depth first. A path is relative to the file that says it; two paths of one file on the disk mean one
// tree. A file that is met again while it is being read imports itself.
//
//===----------------------------------------------------------------------===//
#include "nnc/Syntax/Imports.h"

#include "nnc/Syntax/Parser.h"

#include <algorithm>
#include <filesystem>
#include <fmt/format.h>
#include <map>

namespace nnc {

using namespace ast;

namespace fs = std::filesystem;

/// Files import each other at most so deep, so that recursion over them is safe.
static constexpr size_t maxImportDepth = 100;

namespace {
class ImportResolver {
public:
  explicit ImportResolver(DiagnosticEngine &engine) : diagnostics(engine) {}
  void resolve(File &file);

private:
  /// A file whose imports are being read, and the import that led to it.
  struct Open {
    std::string identity;
    SourceRange import;
  };
  void resolve(ImportDecl &import, const SourceFile &importer);
  std::shared_ptr<const File> read(const ImportDecl &import, const std::string &path);
  bool reportCycle(const ImportDecl &import, const std::string &identity);

  DiagnosticEngine &diagnostics;
  std::vector<Open> open;
  std::map<std::string, std::shared_ptr<const File>> known;
};
} // namespace

/// What two paths of one file have in common.
static std::string identityOf(const std::string &path) {
  std::error_code failed;
  fs::path canonical = fs::weakly_canonical(path, failed);
  return failed ? path : canonical.string();
}

/// The name of a `.nn` file in the folder of `path` that may have been meant.
static std::optional<std::string> nearestFile(const fs::path &path) {
  std::vector<std::string> names;
  std::error_code failed;
  fs::path folder = path.has_parent_path() ? path.parent_path() : fs::path(".");
  for (fs::directory_iterator entry(folder, failed), end; !failed && entry != end;
       entry.increment(failed))
    if (entry->path().extension() == ".nn")
      names.push_back(entry->path().filename().string());
  std::sort(names.begin(), names.end());
  std::string name = path.filename().string();
  bool lacksEnding = std::find(names.begin(), names.end(), name + ".nn") != names.end();
  return lacksEnding ? name + ".nn" : closestMatch(name, names);
}

/// Whether the file is one of those whose imports are being read; says so, and by which way.
bool ImportResolver::reportCycle(const ImportDecl &import, const std::string &identity) {
  auto first = std::find_if(open.begin(), open.end(),
                            [&](const Open &file) { return file.identity == identity; });
  if (first == open.end())
    return false;
  if (first + 1 == open.end()) {
    diagnostics.error(import.pathRange, "a file cannot import itself");
    return true;
  }
  Diagnostic &diagnostic = diagnostics.error(
      import.pathRange,
      fmt::format("'{}' cannot be imported here: it imports this file", import.path));
  for (auto file = first + 1; file != open.end(); ++file)
    diagnostic.note(file->import, "by this import");
  return true;
}

std::shared_ptr<const File> ImportResolver::read(const ImportDecl &import,
                                                 const std::string &path) {
  std::string error;
  std::unique_ptr<SourceFile> source = SourceFile::open(path, error);
  if (!source) {
    Diagnostic &diagnostic = diagnostics.error(import.pathRange, error);
    if (std::optional<std::string> meant = nearestFile(path))
      diagnostic.didYouMean((fs::path(import.path).parent_path() / *meant).string());
    return nullptr;
  }
  std::shared_ptr<File> tree = parse(diagnostics.own(std::move(source)), diagnostics);
  if (open.size() > maxImportDepth) {
    diagnostics.error(import.pathRange, "imports are nested too deeply");
    return nullptr;
  }
  resolve(*tree);
  return tree;
}

void ImportResolver::resolve(ImportDecl &import, const SourceFile &importer) {
  fs::path joined = fs::path(importer.path()).parent_path() / import.path;
  std::string path = joined.lexically_normal().string(), identity = identityOf(path);
  if (reportCycle(import, identity))
    return;
  auto [entry, isNew] = known.emplace(identity, nullptr);
  if (isNew) {
    open.push_back({identity, import.pathRange});
    // Reading may add files to `known`, which leaves the others where they are.
    entry->second = read(import, path);
    open.pop_back();
  }
  import.file = entry->second;
}

void ImportResolver::resolve(File &file) {
  if (open.empty())
    open.push_back({identityOf(file.source->path()), SourceRange()});
  std::map<std::string, SourceRange> paths;
  for (const DeclPtr &decl : file.decls) {
    if (decl->kind() != Decl::Kind::Import)
      continue;
    auto &import = static_cast<ImportDecl &>(*decl);
    auto [first, isNew] = paths.emplace(import.path, import.pathRange);
    if (isNew)
      resolve(import, *file.source);
    else
      diagnostics.error(import.pathRange, fmt::format("'{}' is already imported", import.path))
          .note(first->second, "it is imported here");
  }
}

void resolveImports(File &file, DiagnosticEngine &diagnostics) {
  ImportResolver(diagnostics).resolve(file);
}

static void addFiles(const File &file, std::vector<const File *> &files) {
  if (std::find(files.begin(), files.end(), &file) != files.end())
    return;
  for (const DeclPtr &decl : file.decls)
    if (const auto *import = dynCast<ImportDecl>(decl.get()); import && import->file)
      addFiles(*import->file, files);
  files.push_back(&file);
}

std::vector<const File *> filesOf(const File &file) {
  std::vector<const File *> files;
  addFiles(file, files);
  return files;
}

} // namespace nnc
