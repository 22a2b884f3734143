//===- CsvTest.cpp - Tables of numbers in text files ----------------------===//
//
// Each dialect that is read, each way to choose columns, and the whole text of each error.
//
//===----------------------------------------------------------------------===//
#include "nnc/Data/Csv.h"
#include "Damage.h"

#include "gtest/gtest.h"

#include <cmath>

using namespace nnc;
using Doubles = std::vector<double>;

static CsvOptions fields(std::vector<CsvField> list) {
  CsvOptions options;
  options.fields = std::move(list);
  return options;
}

/// All cells of a table as a field of f64.
static CsvOptions wholeTable() {
  return fields({{"x", {CsvColumns::range(0, std::nullopt)}, ElementType::F64, false}});
}

static Dataset read(std::string_view text, const CsvOptions &options = wholeTable()) {
  Result<Dataset> dataset = parseCsv(text, "t.csv", options);
  EXPECT_TRUE(dataset) << dataset.error().str();
  return dataset ? *dataset : Dataset();
}

static std::string errorOf(std::string_view text, const CsvOptions &options = wholeTable()) {
  Result<Dataset> dataset = parseCsv(text, "t.csv", options);
  return dataset ? "no error" : dataset.error().str();
}

static void expectTable(std::string_view text, TensorShape shape, Doubles values,
                        const CsvOptions &options = wholeTable()) {
  Dataset dataset = read(text, options);
  ASSERT_EQ(dataset.columns.size(), 1u) << text;
  EXPECT_EQ(dataset.columns[0].shape(), shape) << text;
  EXPECT_EQ(dataset.columns[0].toDoubles(), values) << text;
}

//===----------------------------------------------------------------------===//
// Dialects
//===----------------------------------------------------------------------===//

TEST(Csv, FindsTheDelimiter) {
  for (const char *text : {"1,2\n3,4\n", "1;2\n3;4\n", "1\t2\n3\t4\n", "1 2\n3 4\n",
                           "  1   2  \n 3\t4", "1 , 2\n3 ,\t4", "1|2\n3|4"}) {
    CsvOptions options = wholeTable();
    if (std::string_view(text).find('|') != std::string_view::npos)
      options.delimiter = '|';
    expectTable(text, {2, 2}, {1, 2, 3, 4}, options);
  }
  expectTable("7\n8\n", {2, 1}, {7, 8});
  expectTable("petal length\n7\n8\n", {2, 1}, {7, 8});
  expectTable("a b,c\n1,2\n", {1, 2}, {1, 2});
}

TEST(Csv, ReadsAnyLineEnds) {
  for (const char *text : {"1,2\n3,4", "1,2\r\n3,4\r\n", "1,2\r3,4\r", "\n\n1,2\n \n3,4\n\n\n",
                           "\xef\xbb\xbf"
                           "1,2\n3,4\n",
                           "1,2\n3,4\n\t\n"})
    expectTable(text, {2, 2}, {1, 2, 3, 4});
}

TEST(Csv, ReadsQuotedCells) {
  expectTable("\"a\",\"b, \"\"c\"\"\nd\"\n\"1\",\" 2\"\n \"3\" , 4\n", {2, 2}, {1, 2, 3, 4},
              fields({{"x", {CsvColumns::range(0, 2)}, ElementType::F64, false}}));
}

TEST(Csv, ReadsNumbersAsTheyAreWritten) {
  Dataset dataset = read("+1.5,-2e3,.5,5.,1e-400,inf,-Infinity,NaN\n");
  Doubles values = dataset.columns[0].toDoubles();
  EXPECT_EQ(Doubles(values.begin(), values.begin() + 5), (Doubles{1.5, -2000, .5, 5, 0}));
  EXPECT_TRUE(std::isinf(values[5]) && values[6] < 0 && std::isnan(values[7]));
  // Rounded once, to the type of the field.
  Dataset f32 = read("0.1,16777217.0000000001\n", CsvOptions());
  EXPECT_EQ(f32.columns[0].as<float>()[0], 0.1f);
  EXPECT_EQ(f32.columns[0].as<float>()[1], 16777218.0f);
}

TEST(Csv, TellsAHeader) {
  expectTable("a,b\n1,2\n", {1, 2}, {1, 2});
  expectTable(",b\n1,2\n", {1, 2}, {1, 2});
  expectTable("1,2\n3,4\n", {2, 2}, {1, 2, 3, 4});
  CsvOptions years = wholeTable();
  years.hasHeader = true;
  expectTable("2001,2002\n1,2\n", {1, 2}, {1, 2}, years);
}

TEST(Csv, SkipsLines) {
  CsvOptions options = wholeTable();
  options.skip = 2;
  expectTable("# made\r\n150,4,setosa\r\n1,2\r\n", {1, 2}, {1, 2}, options);
}

//===----------------------------------------------------------------------===//
// Fields
//===----------------------------------------------------------------------===//

TEST(Csv, ChoosesColumnsByPosition) {
  Dataset dataset = read(
      "1,2,3,4\n5,6,7,8\n",
      fields({{"x", {CsvColumns::range(0, 2)}, ElementType::F32, false},
              {"y", {CsvColumns::single(-1)}, ElementType::I64, true},
              {"z", {CsvColumns::single(3), CsvColumns::range(-3, -2)}, ElementType::U8, false}}));
  EXPECT_EQ(dataset.fields, (std::vector<std::string>{"x", "y", "z"}));
  EXPECT_EQ(dataset.columns[0], Tensor::of<float>({2, 2}, {1, 2, 5, 6}));
  EXPECT_EQ(dataset.columns[1], Tensor::of<int64_t>({2}, {4, 8}));
  EXPECT_EQ(dataset.columns[2], Tensor::of<uint8_t>({2, 2}, {4, 2, 8, 6}));
}

TEST(Csv, ChoosesColumnsByName) {
  CsvOptions options = fields({{"x",
                                {CsvColumns::named("width"), CsvColumns::named("the \"n\"")},
                                ElementType::F64,
                                false}});
  expectTable("kind,\"the \"\"n\"\"\",width\nA,1,2\nB,3,4\n", {2, 2}, {2, 1, 4, 3}, options);
}

TEST(Csv, ReadsEveryType) {
  for (ElementType type : allElementTypes) {
    CsvOptions options = fields({{"x", {CsvColumns::single(0)}, type, true}});
    Dataset dataset = read("1\n0\n1\n", options);
    EXPECT_EQ(dataset.columns[0].type(), type);
    EXPECT_EQ(dataset.columns[0].toDoubles(), (Doubles{1, 0, 1}));
  }
  CsvOptions whole = fields({{"x", {CsvColumns::single(0)}, ElementType::I64, true}});
  EXPECT_EQ(read("9223372036854775807\n3.0\n1e3\n-2\n", whole).columns[0],
            Tensor::of<int64_t>({4}, {9223372036854775807, 3, 1000, -2}));
  CsvOptions truth = fields({{"x", {CsvColumns::single(0)}, ElementType::Bool, true}});
  truth.hasHeader = false;
  EXPECT_EQ(read("true\nFalse\n", truth).columns[0], Tensor::of<bool>({2}, {true, false}));
}

//===----------------------------------------------------------------------===//
// Errors
//===----------------------------------------------------------------------===//

TEST(CsvError, CellIsNoNumber) {
  EXPECT_EQ(errorOf("w,größe\n1,2\n3, wide\n"),
            "t.csv:3:4: error: expected a number in column 1 ('größe'), found 'wide'");
  EXPECT_EQ(errorOf("1,2\n3,\n"), "t.csv:2:3: error: expected a number in column 1, found an empty "
                                  "cell");
  EXPECT_EQ(errorOf("ä,b\nü,1\n"),
            "t.csv:2:1: error: expected a number in column 0 ('ä'), found 'ü'");
  EXPECT_EQ(errorOf("1;2\n1;2,5\n"),
            "t.csv:2:3: error: expected a number in column 1, found '2,5'\n"
            "help: numbers are written with a decimal point, without separators");
  EXPECT_EQ(errorOf("1\n" + std::string(100, 'z') + "\n"),
            "t.csv:2:1: error: expected a number in column 0, found '" + std::string(40, 'z') +
                "…'");
  EXPECT_EQ(errorOf("1\n0x10\n"), "t.csv:2:1: error: expected a number in column 0, found '0x10'");
  EXPECT_EQ(errorOf("1\n+-3\n"), "t.csv:2:1: error: expected a number in column 0, found '+-3'");
}

TEST(CsvError, FirstLineIsNeitherHeaderNorRow) {
  EXPECT_EQ(errorOf("150,4,setosa\n1,2,0\n"),
            "t.csv:1:7: error: expected a number in column 2, found 'setosa'\n"
            "help: header = true says that the first line names the columns; skip = 1 leaves it "
            "out");
}

TEST(CsvError, CellDoesNotFitItsType) {
  auto column = [](ElementType type) {
    CsvOptions options = fields({{"x", {CsvColumns::single(0)}, type, true}});
    options.hasHeader = false;
    return options;
  };
  EXPECT_EQ(errorOf("1\n300\n", column(ElementType::U8)),
            "t.csv:2:1: error: expected a number that u8 can hold in column 0, found '300'");
  EXPECT_EQ(errorOf("1\n99999999999999999999\n", column(ElementType::I64)),
            "t.csv:2:1: error: expected a number that i64 can hold in column 0, found "
            "'99999999999999999999'");
  EXPECT_EQ(errorOf("3.5\n", column(ElementType::I32)),
            "t.csv:1:1: error: expected a whole number (i32) in column 0, found '3.5'");
  EXPECT_EQ(errorOf("1e39\n", column(ElementType::F32)),
            "t.csv:1:1: error: expected a number that f32 can hold in column 0, found '1e39'");
  EXPECT_EQ(errorOf("70000\n", column(ElementType::F16)),
            "t.csv:1:1: error: expected a number that f16 can hold in column 0, found '70000'");
  EXPECT_EQ(errorOf("1\n2\n", column(ElementType::Bool)),
            "t.csv:2:1: error: expected 0, 1, true or false in column 0, found '2'");
  EXPECT_EQ(errorOf("nan\n", column(ElementType::I64)),
            "t.csv:1:1: error: expected a number that i64 can hold in column 0, found 'nan'");
}

TEST(CsvError, RowsDifferInLength) {
  EXPECT_EQ(errorOf("1,2,3\n4,5,6\n7,8\n"),
            "t.csv:3:4: error: expected 3 cells as in line 1, found 2");
  EXPECT_EQ(errorOf("1,2\n4,5\n7,8,9\n"),
            "t.csv:3:5: error: expected 2 cells as in line 1, found 3");
  EXPECT_EQ(errorOf("a,b\n1,2,3\n"),
            "t.csv:2:5: error: expected 2 cells as in line 1, found 3\n"
            "help: skip = 1 leaves out the first line if it is no part of the table");
  // Lines are counted through a quoted cell.
  EXPECT_EQ(errorOf("\"a\n\nb\",c\n1,2\n3\n"),
            "t.csv:5:2: error: expected 2 cells as in line 1, found 1");
}

TEST(CsvError, QuotesDoNotMatch) {
  EXPECT_EQ(errorOf("1,2\n3,\"4\n5,6\n"),
            "t.csv:2:3: error: expected a closing quote, found the end of the file");
  EXPECT_EQ(errorOf("1,2\n\"3\"x,4\n"),
            "t.csv:2:4: error: expected the end of the cell after its closing quote, found 'x'");
}

TEST(CsvError, ColumnsAreNotThere) {
  CsvOptions byName = fields({{"x", {CsvColumns::named("widht")}, ElementType::F32, false}});
  EXPECT_EQ(errorOf("width,height\n1,2\n", byName),
            "t.csv:1: error: in field 'x': expected a column named 'widht', found 'width', "
            "'height'\nhelp: did you mean 'width'?");
  EXPECT_EQ(errorOf("1,2\n", byName), "t.csv: error: in field 'x': expected a column named "
                                      "'widht', found no line of column names");
  EXPECT_EQ(errorOf("widht,widht\n1,2\n", byName),
            "t.csv:1: error: in field 'x': expected one column named 'widht', found 2");
  EXPECT_EQ(errorOf("1,2\n", fields({{"x", {CsvColumns::range(0, 64)}, ElementType::F32, false}})),
            "t.csv: error: in field 'x': expected columns within 0:2, found 0:64\n"
            "help: columns are counted from 0, and the end of a range is not part of it");
  EXPECT_EQ(errorOf("1,2\n", fields({{"y", {CsvColumns::range(0, 2)}, ElementType::F32, true}})),
            "t.csv: error: in field 'y': expected one column, found 2");
}

TEST(CsvError, NoTable) {
  EXPECT_EQ(errorOf(""), "t.csv: error: expected rows of numbers, found an empty file");
  EXPECT_EQ(errorOf("\n \n"), "t.csv: error: expected rows of numbers, found an empty file");
  EXPECT_EQ(errorOf("a,b\n"),
            "t.csv: error: expected rows of numbers, found nothing after the column names");
  CsvOptions options = wholeTable();
  options.skip = 5;
  EXPECT_EQ(errorOf("1,2\n", options),
            "t.csv: error: expected rows of numbers, found nothing after the skipped lines");
  options.delimiter = '.';
  EXPECT_EQ(errorOf("1,2\n", options), "t.csv: error: expected a delimiter that is no part of a "
                                       "number, quote or line end, found '.'");
}

TEST(CsvError, NoText) {
  using namespace std::string_view_literals;
  EXPECT_EQ(errorOf("1,2\n3\0,4"sv), "t.csv:2:2: error: expected text, found a byte 0\n"
                                     "help: the file seems to be binary");
  EXPECT_EQ(errorOf("\xff\xfe"
                    "1\0"sv),
            "t.csv: error: expected UTF-8 text, found UTF-16\n"
            "help: save the file as UTF-8");
  EXPECT_EQ(errorOf("\x93NUMPY\1\0"sv), "t.csv: error: expected a CSV file, found an npy file\n"
                                        "help: read it with npy(...)");
  EXPECT_EQ(errorOf("PK\3\4"sv), "t.csv: error: expected a CSV file, found a zip file\n"
                                 "help: an npz file is read with npz(...)");
  EXPECT_EQ(errorOf("\x80\xff,1\n1,2\n"), "t.csv:1:1: error: expected a number in column 0, found "
                                          "'\\x80\\xff'\nhelp: header = true says that the first "
                                          "line names the columns; skip = 1 leaves it out");
  EXPECT_EQ(errorOf("1,2\n1," + std::string(70000, '1')),
            "t.csv:2:3: error: expected a cell of at most 65536 bytes, found one of 70000");
}

TEST(CsvError, NoFile) {
  EXPECT_EQ(readCsv("/nonexistent.csv", CsvOptions()).error().str(),
            "/nonexistent.csv: error: cannot read: no such file or directory");
}

//===----------------------------------------------------------------------===//
// Damage
//===----------------------------------------------------------------------===//

TEST(Csv, SurvivesDamage) {
  CsvOptions options = fields({{"x", {CsvColumns::range(1, std::nullopt)}, ElementType::F32, false},
                               {"y", {CsvColumns::named("label")}, ElementType::I64, true}});
  std::string text = "label,\"a \"\"b\"\"\",c\r\n0,1.5,2\r\n1,-3e-2,\"4\"\r\n\r\n2,5,6\r\n";
  auto tryToRead = [&](const std::string &damaged) {
    (void)bool(parseCsv(damaged, "t.csv", options));
    (void)bool(parseCsv(damaged, "t.csv", CsvOptions()));
  };
  truncateEverywhere(text, tryToRead);
  mutate(text, 20000, tryToRead);
}
