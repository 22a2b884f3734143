//===- AST.h - The tree of a .nn file ----------------------------*- C++ -*-===//
//
// What the parser makes and the printer writes: declarations, statements and expressions as they
// were written, with comments and the place of each in the source. Nothing here is resolved; names
// are text. Trees are at most maxNesting deep, so recursion over them is safe.
//
// Each class has a kind and a classof, so llvm::dyn_cast works on it; without LLVM use
// ast::dynCast.
//
//===----------------------------------------------------------------------===//
#ifndef NNC_SYNTAX_AST_H
#define NNC_SYNTAX_AST_H

#include "nnc/Support/Source.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace nnc::ast {

/// Deepest nesting of expressions and blocks.
constexpr unsigned maxNesting = 200;

/// Comments that belong to a node. In `leading`, an empty optional stands for an empty line.
struct Trivia {
  std::vector<std::optional<std::string>> leading;
  std::optional<std::string> trailing;
  bool empty() const { return leading.empty() && !trailing; }
};

template <typename To, typename From> const To *dynCast(const From *node) {
  return node && To::classof(node) ? static_cast<const To *>(node) : nullptr;
}

//===----------------------------------------------------------------------===//
// Expressions
//===----------------------------------------------------------------------===//

struct Expr {
  enum class Kind {
    Number,
    Bool,
    None,
    String,
    Name,
    List,
    Range,
    Ellipsis,
    Call,
    Subscript,
    Unary,
    Binary
  };

  virtual ~Expr() = default;
  Kind kind() const { return exprKind; }

  SourceRange range;
  /// Levels of expressions below this one, itself included.
  unsigned depth = 1;

protected:
  explicit Expr(Kind kind) : exprKind(kind) {}

private:
  Kind exprKind;
};
using ExprPtr = std::unique_ptr<Expr>;

/// Gives an expression class its kind.
template <Expr::Kind K> struct ExprOf : Expr {
  ExprOf() : Expr(K) {}
  static bool classof(const Expr *expr) { return expr->kind() == K; }
};

/// A literal number. `spelling` is what was written; `integer` is its value when isInteger, up to
/// and including 2^63 (which only -9223372036854775808 uses); `value` is it as a double.
struct NumberExpr : ExprOf<Expr::Kind::Number> {
  std::string spelling;
  bool isInteger = false;
  uint64_t integer = 0;
  double value = 0;
};

struct BoolExpr : ExprOf<Expr::Kind::Bool> {
  bool value = false;
};

/// `None`: a new axis in a subscript, an absent value elsewhere.
struct NoneExpr : ExprOf<Expr::Kind::None> {};

/// A string, escapes already replaced.
struct StringExpr : ExprOf<Expr::Kind::String> {
  std::string value;
};

/// A name, perhaps qualified: x, fc1.w.
struct NameExpr : ExprOf<Expr::Kind::Name> {
  std::string name;
};

/// An element of a list, or an argument `name = value` of a call.
struct Item {
  Trivia trivia;
  std::string name; ///< empty when positional
  SourceRange nameRange;
  ExprPtr value;
};

/// `[a, b, c]`. `broken` keeps the writer's choice of one element a line.
struct ListExpr : ExprOf<Expr::Kind::List> {
  std::vector<Item> items;
  bool broken = false;
};

/// `start:stop:step`, each part optional: in a subscript, or as a range of columns in a call.
struct RangeExpr : ExprOf<Expr::Kind::Range> {
  ExprPtr start, stop, step;
};

/// `...` in a subscript or a type.
struct EllipsisExpr : ExprOf<Expr::Kind::Ellipsis> {};

/// `callee(args) as instance`.
struct CallExpr : ExprOf<Expr::Kind::Call> {
  std::string callee;
  SourceRange calleeRange;
  std::vector<Item> args;
  std::string instance; ///< empty without `as`
  SourceRange instanceRange;
};

/// `base[indices]`; an index is an expression, a RangeExpr, a NoneExpr or an EllipsisExpr.
struct SubscriptExpr : ExprOf<Expr::Kind::Subscript> {
  ExprPtr base;
  std::vector<ExprPtr> indices;
};

enum class UnaryOp { Negate, Not };

struct UnaryExpr : ExprOf<Expr::Kind::Unary> {
  UnaryOp op = UnaryOp::Negate;
  ExprPtr operand;
};

enum class BinaryOp {
  Or,
  And,
  Equal,
  NotEqual,
  Less,
  LessEqual,
  Greater,
  GreaterEqual,
  Add,
  Subtract,
  Multiply,
  Divide,
  Modulo,
  MatMul,
  Power
};
/// As written: "+", "and", "**".
std::string_view spelling(BinaryOp op);
/// How tightly an operator binds; higher is tighter. Unary minus lies between the product and `**`,
/// `not` between `and` and the comparisons.
unsigned precedence(BinaryOp op);
inline bool isComparison(BinaryOp op) {
  return op >= BinaryOp::Equal && op <= BinaryOp::GreaterEqual;
}

struct BinaryExpr : ExprOf<Expr::Kind::Binary> {
  BinaryOp op = BinaryOp::Add;
  SourceRange opRange;
  ExprPtr left, right;
};

//===----------------------------------------------------------------------===//
// Types
//===----------------------------------------------------------------------===//

/// `f32[N, 3]`, `f32`, or the type of an attribute such as `int`. The dimensions are expressions in
/// which `/` divides rounding down, and `...` stands for any leading ones.
struct Type {
  SourceRange range;
  std::string name;
  SourceRange nameRange;
  std::vector<ExprPtr> dims; ///< empty for rank zero
};
using TypePtr = std::unique_ptr<Type>;

//===----------------------------------------------------------------------===//
// Statements
//===----------------------------------------------------------------------===//

struct Stmt {
  enum class Kind { Assign, Update, Declare, Return, Expect, Repeat };

  virtual ~Stmt() = default;
  Kind kind() const { return stmtKind; }

  SourceRange range;
  Trivia trivia;

protected:
  explicit Stmt(Kind kind) : stmtKind(kind) {}

private:
  Kind stmtKind;
};
using StmtPtr = std::unique_ptr<Stmt>;

template <Stmt::Kind K> struct StmtOf : Stmt {
  StmtOf() : Stmt(K) {}
  static bool classof(const Stmt *stmt) { return stmt->kind() == K; }
};

/// `{ statements }`; `dangling` are the comments behind the last one.
struct Block {
  SourceRange range;
  std::vector<StmtPtr> stmts;
  std::vector<std::optional<std::string>> dangling;
};

/// A name being given a value, with its type if written.
struct Target {
  std::string name;
  SourceRange range;
  TypePtr type;
};

/// `a: T, b = value, value`. One value may give several targets.
struct AssignStmt : StmtOf<Stmt::Kind::Assign> {
  std::vector<Target> targets;
  std::vector<ExprPtr> values;
};

/// `name[indices] = value`: a new value of the same name.
struct UpdateStmt : StmtOf<Stmt::Kind::Update> {
  std::string name;
  SourceRange nameRange;
  std::vector<ExprPtr> indices;
  ExprPtr value;
};

enum class DeclareKind { Param, State, Record, Collect, Plot };
std::string_view spelling(DeclareKind kind);

/// `param w: T = value`, `state`, `record`, `collect`, `plot`.
struct DeclareStmt : StmtOf<Stmt::Kind::Declare> {
  DeclareKind declares = DeclareKind::Param;
  Target target;
  ExprPtr value; ///< null when not written
};

struct ReturnStmt : StmtOf<Stmt::Kind::Return> {
  std::vector<ExprPtr> values;
};

struct ExpectStmt : StmtOf<Stmt::Kind::Expect> {
  ExprPtr condition;
};

/// `repeat COUNT reverse as i with a = e over x = xs { … }`.
struct RepeatStmt : StmtOf<Stmt::Kind::Repeat> {
  struct Binding {
    Target target;
    ExprPtr value;
  };
  ExprPtr count;
  bool reverse = false;
  std::optional<Target> index;
  std::vector<Binding> carried, over;
  Block body;
};

//===----------------------------------------------------------------------===//
// Declarations
//===----------------------------------------------------------------------===//

struct Decl {
  enum class Kind { Import, Fragment, Data, Train, Test };

  virtual ~Decl() = default;
  Kind kind() const { return declKind; }

  SourceRange range;
  Trivia trivia;

protected:
  explicit Decl(Kind kind) : declKind(kind) {}

private:
  Kind declKind;
};
using DeclPtr = std::unique_ptr<Decl>;

template <Decl::Kind K> struct DeclOf : Decl {
  DeclOf() : Decl(K) {}
  static bool classof(const Decl *decl) { return decl->kind() == K; }
};

struct File;

/// `import "layers.nn"`: what that file declares is visible in this one.
struct ImportDecl : DeclOf<Decl::Kind::Import> {
  std::string path;
  SourceRange pathRange;
  /// What resolveImports has read; shared by all that import it.
  std::shared_ptr<const File> file;
};

/// `role name: type = default` in parentheses behind a fragment's name. The role (param, state,
/// input, key) is what stage dumps write in front of the arguments of an entry point.
struct Param {
  Trivia trivia;
  std::string role; ///< empty when not written
  SourceRange roleRange;
  std::string name;
  SourceRange range;
  TypePtr type;         ///< null: any tensor
  ExprPtr defaultValue; ///< null: required
};

/// `role name: type` behind `->`; the name may be missing.
struct Result {
  Trivia trivia;
  std::string role;
  SourceRange roleRange;
  std::string name;
  SourceRange range;
  TypePtr type;
};

enum class FragmentKind { Func, Layer, Model, Optimizer };
std::string_view spelling(FragmentKind kind);

/// `func name(params) -> (results) { … }`, and `layer`, `model`, `optimizer`.
struct FragmentDecl : DeclOf<Decl::Kind::Fragment> {
  FragmentKind fragment = FragmentKind::Func;
  std::string name;
  SourceRange nameRange;
  std::vector<Param> params;
  std::vector<Result> results;
  Block body;
};

/// `data name = source | stage | …`, or `data name { … }` when `stages` is empty.
struct DataDecl : DeclOf<Decl::Kind::Data> {
  std::string name;
  SourceRange nameRange;
  std::vector<Item> stages; ///< calls; the first may be the name of other data
  Block body;
};

/// `on data(a, b: f32[N, 3])`: the fields of the data bound to names in order.
struct DataUse {
  std::string name;
  SourceRange range;
  std::vector<Target> fields;
  bool hasFields = false;
};

/// `train model on data(a, b) { … }`.
struct TrainDecl : DeclOf<Decl::Kind::Train> {
  std::string model;
  SourceRange modelRange;
  std::optional<DataUse> data;
  Block body;
};

/// `test name on data(a, b) { … }`.
struct TestDecl : DeclOf<Decl::Kind::Test> {
  std::string name;
  SourceRange nameRange;
  std::optional<DataUse> data;
  Block body;
};

struct File {
  const SourceFile *source = nullptr;
  std::vector<DeclPtr> decls;
  /// Comments behind the last declaration.
  std::vector<std::optional<std::string>> dangling;
};

/// The tree as text, one node a line, without places: what tests compare.
std::string dump(const File &file);

} // namespace nnc::ast

#endif // NNC_SYNTAX_AST_H
