#include <cmath>
#include <limits>

#include <gmock/gmock.h>

#include "engines/triage/risk/labelled_csv.h"
#include "engines/triage/risk/model.h"

namespace gitaiops::triage::risk {
namespace {

using testing::Contains;
using testing::Each;
using testing::Field;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();

Features change(double lines, double files, double changes_before) {
  Features f;
  f.fill(kUnknown);
  f[la] = lines;
  f[ld] = lines / 3;
  f[nf] = f[nd] = files;
  f[ns] = 1;
  f[lt] = 300;
  f[nuc] = changes_before;
  return f;
}

// In this project, changes of more than 200 lines to files that often change are risky, mostly.
std::vector<Example> project(std::size_t count) {
  std::vector<Example> out;
  uint32_t state = 12345;
  const auto random = [&] { return (state = state * 1'664'525 + 1'013'904'223) >> 8; };
  for (std::size_t i = 0; i < count; ++i) {
    const double lines = random() % 400, before = random() % 100;
    const bool risky = lines > 200 && before > 30 ? random() % 10 < 8 : random() % 20 == 0;
    out.push_back({change(lines, 1 + random() % 5, before), static_cast<int64_t>(i) * 3600, risky});
  }
  return out;
}

TEST(Risk, LearnsWhatIsRiskyInThisProject) {
  const auto model = train(project(1'500));
  EXPECT_TRUE(model.calibrated());
  EXPECT_THAT(model.basis(), HasSubstr("1,500 changes of this project"));
  const auto high = model.score(change(390, 2, 90)), low = model.score(change(20, 2, 90));
  EXPECT_NEAR(high.probability, 0.8, 0.15);
  EXPECT_NEAR(low.probability, 0.05, 0.05);
  EXPECT_GT(high.percentile, 75);
  EXPECT_LT(low.percentile, 60);
  ASSERT_FALSE(high.causes.empty());
  EXPECT_EQ(high.causes[0].feature, la);
  EXPECT_THAT(high.causes[0].text, testing::StartsWith("390 lines added (more than 9"));
}

TEST(Risk, TheSameExamplesGiveTheSameModel) {
  EXPECT_EQ(train(project(400)).to_text(), train(project(400)).to_text());
}

TEST(Risk, AModelSurvivesItsText) {
  const auto model = train(project(300));
  const auto read = Model::read(model.to_text());
  ASSERT_TRUE(read.ok()) << read.error().to_string();
  EXPECT_EQ(read->to_text(), model.to_text());
  for (const double lines : {1.0, 150.0, 399.0})
    EXPECT_NEAR(read->probability(change(lines, 1, 50)), model.probability(change(lines, 1, 50)),
                1e-6);
}

TEST(Risk, TheShippedModelKnowsThatSizeMatters) {
  const auto& prior = Model::prior();
  EXPECT_FALSE(prior.calibrated());
  EXPECT_GT(prior.probability(change(900, 20, 50)), 2 * prior.probability(change(2, 1, 5)));
  Features unknown;
  unknown.fill(kUnknown);
  const auto score = prior.score(unknown);
  EXPECT_GT(score.probability, 0);
  EXPECT_LT(score.probability, 1);
  EXPECT_THAT(score.causes, IsEmpty());
}

TEST(Risk, WithLabelsOfOneKindTheShippedModelSpeaks) {
  auto examples = project(500);
  for (auto& one : examples) one.risky = false;
  const auto model = train(examples);
  EXPECT_FALSE(model.calibrated());
  EXPECT_THAT(model.basis(), HasSubstr("too few labels: 500 changes of this project, 0 of them"));
  EXPECT_DOUBLE_EQ(model.probability(change(900, 20, 50)),
                   Model::prior().probability(change(900, 20, 50)));
  EXPECT_GT(model.score(change(390, 4, 90)).percentile, 60);  // still among this project's changes
  for (auto& one : examples) one.risky = true;
  EXPECT_FALSE(train(examples).calibrated());
  EXPECT_FALSE(train({}).calibrated());
}

TEST(Risk, NumbersBeyondAllMeasureAreNotBelieved) {
  auto examples = project(400);
  for (std::size_t i = 0; i < examples.size(); i += 7)
    examples[i].features[la] = i % 2 ? 1e308 : -std::numeric_limits<double>::infinity();
  const auto model = train(examples);
  for (const double odd : {1e308, -1e308, std::numeric_limits<double>::infinity(), kUnknown, 0.0}) {
    Features f;
    f.fill(odd);
    const auto score = model.score(f);
    EXPECT_TRUE(score.probability >= 0 && score.probability <= 1) << odd;
    EXPECT_TRUE(score.percentile >= 0 && score.percentile <= 100) << odd;
  }
}

TEST(Risk, AModelsTextIsCheckedLineByLine) {
  const auto why = [](std::string_view text) {
    const auto read = Model::read(text);
    return read.ok() ? std::string("accepted") : read.error().to_string();
  };
  const std::string head = "gitaiops.risk/1\n";
  EXPECT_EQ(why(head + "shipped 1 1\n"), "accepted");
  EXPECT_THAT(why(""), HasSubstr("no risk model"));
  EXPECT_THAT(why("gitaiops.risk/2\n"), HasSubstr("line 1: no risk model, or of another version"));
  EXPECT_THAT(why(head + "shipped 9 0.5"), HasSubstr("train it again"));
  EXPECT_THAT(why(head + "shipped 1 1.5"), HasSubstr("line 2: shipped needs"));
  EXPECT_THAT(why(head + "calibration own nan 0"), HasSubstr("line 2: calibration needs"));
  EXPECT_THAT(why(head + "calibration own -1 0"), HasSubstr("line 2: calibration needs"));
  EXPECT_THAT(why(head + "values la 3 2"), HasSubstr("never fall"));
  EXPECT_THAT(why(head + "values color 1 2"), HasSubstr("unknown measure"));
  EXPECT_THAT(why(head + "tree =1"), HasSubstr("before the first bag"));
  EXPECT_THAT(why(head + "bag 0\ntree la<3 =1"), HasSubstr("line 3: a tree that does not end"));
  EXPECT_THAT(why(head + "bag 0\ntree =1 =1"), HasSubstr("more than one root"));
  EXPECT_THAT(why(head + "bag 0\ntree la=1"), HasSubstr("a leaf has no measure"));
  EXPECT_THAT(why(head + "bag 0\ntree x<1 =1 =1"), HasSubstr("unknown measure"));
  EXPECT_THAT(why(head + "bag 0\n"), HasSubstr("without trees"));
  EXPECT_THAT(why(head + "learnt 3 4"), HasSubstr("learnt needs"));
  EXPECT_THAT(why(head + "\x01\xff"), HasSubstr("unknown word"));
  std::string deep = head + "bag 0\ntree";
  for (int i = 0; i < 500; ++i) deep += " la<1";
  EXPECT_THAT(why(deep), HasSubstr("too deep"));
}

TEST(LabelledCsv, FindsItsColumnsByName) {
  const auto read = read_labelled(
      "_id,date,bug,__,entrophy,la,fix\r\nabc,1451580138,1,1,0.5,12,0\r\n\r\nabd,1451580139,0,0,,"
      "nan,True\n",
      Labels::needed);
  ASSERT_TRUE(read.ok()) << read.error().to_string();
  ASSERT_THAT(*read, SizeIs(2));
  EXPECT_TRUE((*read)[0].risky);
  EXPECT_EQ((*read)[0].time_s, 1451580138);
  EXPECT_EQ((*read)[0].features[entropy], 0.5);
  EXPECT_EQ((*read)[0].features[la], 12);
  EXPECT_TRUE(std::isnan((*read)[0].features[nf]));
  EXPECT_FALSE((*read)[1].risky);
  EXPECT_TRUE(std::isnan((*read)[1].features[la]));
  EXPECT_EQ((*read)[1].features[fix], 1);
}

TEST(LabelledCsv, NamesThePlace) {
  const auto why = [](std::string_view csv, Labels labels = Labels::needed) {
    const auto read = read_labelled(csv, labels);
    return read.ok() ? std::string("accepted") : read.error().to_string();
  };
  EXPECT_THAT(why(""), HasSubstr("is empty"));
  EXPECT_THAT(why("a,b\n1,2\n"), HasSubstr("line 1 names none of the measures"));
  EXPECT_THAT(why("la,ld\n1,2\n"), HasSubstr("no column \"bug\""));
  EXPECT_EQ(why("la,ld\n1,2\n", Labels::ignored), "accepted");
  EXPECT_THAT(why("la,la,bug\n"), HasSubstr("two columns are called \"la\""));
  EXPECT_EQ(why("la,bug\n1,0\n2,x\n"), "line 3, column bug: \"x\" is neither 0 nor 1");
  EXPECT_EQ(why("la,bug\n1,nan\n"), "line 2, column bug: \"nan\" is neither 0 nor 1");
  EXPECT_EQ(why("la,bug\nmany,0\n"), "line 2, column la: \"many\" is no number");
  EXPECT_EQ(why("la,bug\n1\n"), "line 2 has 1 columns, the header 2");
  EXPECT_EQ(why("la,bug\ninf,0\n1e999,1\n"), "line 3, column la: \"1e999\" is no number");
}

}  // namespace
}  // namespace gitaiops::triage::risk
