//===- WriteTypes.cpp - Inferred types into a tree ------------------------===//
//
// What `nnc fmt --types` shows: each named value of a model, func, data, training or test gets the
// type that elaboration found. Bodies of layers stay as they are, since their types differ from use
// to use.
//
//===----------------------------------------------------------------------===//
#include "nnc/IR/Dim.h"
#include "nnc/Syntax/Elaborate.h"
#include "nnc/Syntax/Parser.h"

namespace nnc {

/// The tree of a type's text. Its ranges are in no file.
static ast::TypePtr typeTree(const std::string &text) {
  SourceFile source("<type>", "func f(x: " + text + ") {}");
  DiagnosticEngine diagnostics;
  std::unique_ptr<ast::File> file = parse(source, diagnostics);
  if (diagnostics.hasErrors() || file->decls.empty())
    return nullptr;
  ast::TypePtr type =
      std::move(static_cast<ast::FragmentDecl &>(*file->decls.front()).params.front().type);
  type->range = type->nameRange = SourceRange();
  for (const ast::ExprPtr &dim : type->dims)
    dim->range = SourceRange();
  return type;
}

static void writeTypes(ast::Block &block, const Program &program) {
  for (const ast::StmtPtr &stmt : block.stmts) {
    if (stmt->kind() == ast::Stmt::Kind::Repeat)
      writeTypes(static_cast<ast::RepeatStmt &>(*stmt).body, program);
    if (stmt->kind() != ast::Stmt::Kind::Assign)
      continue;
    for (ast::Target &target : static_cast<ast::AssignStmt &>(*stmt).targets)
      if (auto found = program.types.find(&target); found != program.types.end() && !target.type)
        target.type = typeTree(typeToString(found->second));
  }
}

void writeTypes(ast::File &file, const Program &program) {
  using Kind = ast::Decl::Kind;
  for (const ast::DeclPtr &decl : file.decls) {
    if (decl->kind() == Kind::Fragment)
      writeTypes(static_cast<ast::FragmentDecl &>(*decl).body, program);
    else if (decl->kind() == Kind::Data)
      writeTypes(static_cast<ast::DataDecl &>(*decl).body, program);
    else if (decl->kind() == Kind::Train)
      writeTypes(static_cast<ast::TrainDecl &>(*decl).body, program);
    else if (decl->kind() == Kind::Test)
      writeTypes(static_cast<ast::TestDecl &>(*decl).body, program);
  }
}

} // namespace nnc
