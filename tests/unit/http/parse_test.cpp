#include "base/http/parse.h"

#include <gtest/gtest.h>

namespace gitaiops::http {
namespace {

using State = RequestParser::State;

// The status that refuses these bytes; 0: they are a request, -1: more is awaited. Fed whole and
// byte by byte alike.
int refusal(const std::string& bytes, ParseLimits limits = {}) {
  const auto verdict = [](const RequestParser& parser) {
    if (parser.state() == State::failed) return parser.failure().status;
    return parser.state() == State::done ? 0 : -1;
  };
  RequestParser whole(limits);
  whole.feed(bytes);
  RequestParser slow(limits);
  for (const char c : bytes) slow.feed({&c, 1});
  EXPECT_EQ(verdict(whole), verdict(slow)) << bytes.substr(0, 200);
  return verdict(whole);
}

std::string get(const std::string& lines) {
  return "GET / HTTP/1.1\r\nHost: h\r\n" + lines + "\r\n";
}
std::string post(const std::string& lines, const std::string& body) {
  return "POST /p HTTP/1.1\r\nHost: h\r\n" + lines + "\r\n" + body;
}

TEST(Parse, Request) {
  RequestParser parser({});
  EXPECT_TRUE(parser.idle());
  parser.feed(
      "GET /jobs/a%2Fb/c%20d?x=1&y=a+b%26&x=2&flag HTTP/1.1\r\nHost: h\r\nAuthorization:  Bearer s "
      "\r\n\r\n");
  ASSERT_EQ(parser.state(), State::done);
  EXPECT_TRUE(parser.keep_alive());
  const auto request = parser.take();
  EXPECT_EQ(request.method, "GET");
  EXPECT_EQ(request.target, "/jobs/a%2Fb/c%20d?x=1&y=a+b%26&x=2&flag");
  EXPECT_EQ(request.path, "/jobs/a/b/c d");
  EXPECT_EQ(request.segments, (std::vector<std::string>{"jobs", "a/b", "c d"}));
  const std::multimap<std::string, std::string> query = {
      {"x", "1"}, {"x", "2"}, {"y", "a b&"}, {"flag", ""}};
  EXPECT_EQ(request.query, query);
  EXPECT_EQ(request.headers.get("authorization"), "Bearer s");
  EXPECT_TRUE(parser.idle());
}

TEST(Parse, AbsoluteTarget) {
  RequestParser parser({});
  parser.feed("GET http://other:80/a?b HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  ASSERT_EQ(parser.state(), State::done);
  EXPECT_FALSE(parser.keep_alive());
  EXPECT_EQ(parser.take().path, "/a");
}

TEST(Parse, ChunkedBodyInPieces) {
  const auto bytes = post("Transfer-Encoding: Chunked\r\n",
                          "3;ext=1\r\nabc\r\n2\r\nde\r\n0\r\nTrailer: x\r\n\r\n");
  RequestParser parser({});
  for (const char c : bytes) parser.feed({&c, 1});
  ASSERT_EQ(parser.state(), State::done);
  EXPECT_EQ(parser.take().body, "abcde");
}

// A body of nothing but the last chunk, cut after four of its five bytes, trips an assertion of
// Beast's.
TEST(Parse, EmptyChunkedBodyInPieces) {
  EXPECT_EQ(refusal(post("Transfer-Encoding: chunked\r\n", "0\r\n\r\n")), 0);
}

TEST(Parse, PipelinedRequests) {
  RequestParser parser({});
  parser.feed(post("Content-Length: 3\r\n", "abc") + get("") + "GET /third HTTP/1.1\r\n");
  ASSERT_EQ(parser.state(), State::done);
  EXPECT_EQ(parser.take().body, "abc");
  ASSERT_EQ(parser.state(), State::done);
  EXPECT_EQ(parser.take().path, "/");
  EXPECT_EQ(parser.state(), State::head);
  EXPECT_FALSE(parser.idle());
  parser.feed("Host: h\r\n\r\n");
  EXPECT_EQ(parser.take().path, "/third");
}

// What a trailer says must not count as a header: it is written after the body, past whoever checks
// heads.
TEST(Parse, TrailersAreNotHeaders) {
  RequestParser parser({});
  parser.feed(post("Transfer-Encoding: chunked\r\n",
                   "0\r\nAuthorization: Bearer stolen\r\nConnection: close\r\n\r\n"));
  ASSERT_EQ(parser.state(), State::done);
  EXPECT_TRUE(parser.keep_alive());
  EXPECT_EQ(parser.take().headers.get("Authorization"), std::nullopt);
}

TEST(Parse, SmugglingShapesAreRefused) {
  EXPECT_EQ(refusal(post("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n")), 400);
  EXPECT_EQ(refusal(post("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", "0\r\n\r\n")), 400);
  EXPECT_EQ(refusal(post("Content-Length: 3\r\nContent-Length: 4\r\n", "abcd")), 400);
  EXPECT_EQ(refusal(post("Content-Length: 3\r\nContent-Length: 3\r\n", "abc")), 400);
  EXPECT_EQ(refusal(post("Content-Length: 3, 3\r\n", "abc")), 400);
  EXPECT_EQ(refusal(post("Content-Length: +3\r\n", "abc")), 400);
  EXPECT_EQ(refusal(post("Content-Length: 0x3\r\n", "abc")), 400);
  EXPECT_EQ(refusal(post("Content-Length: 99999999999999999999\r\n", "abc")), 400);
  EXPECT_EQ(refusal(post("Transfer-Encoding: gzip, chunked\r\n", "0\r\n\r\n")), 501);
  EXPECT_EQ(refusal(post("Transfer-Encoding: identity\r\n", "")), 501);
  EXPECT_EQ(
      refusal(post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n")),
      400);
  EXPECT_EQ(
      refusal(post("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", "0\r\n\r\n")),
      400);
  EXPECT_EQ(refusal(post("Transfer-Encoding : chunked\r\n", "0\r\n\r\n")), 400);
  EXPECT_EQ(refusal(post("Transfer-Encoding: chunked\r\n", "-1\r\n\r\n")), 400);
  EXPECT_EQ(refusal(post("Transfer-Encoding: chunked\r\n", "2\r\nabc\r\n0\r\n\r\n")), 400);
  EXPECT_EQ(refusal(post("Transfer-Encoding: chunked\r\n", "fffffffffffffffff\r\n\r\n")), 400);
  EXPECT_EQ(refusal(get("X: a\r\n b\r\n")), 400);  // obs-fold
  EXPECT_EQ(refusal(get("X: a\r\n\tb\r\n")), 400);
  EXPECT_EQ(refusal("GET / HTTP/1.1\r\n Host: h\r\n\r\n"), 400);
  EXPECT_EQ(refusal("GET / HTTP/1.1\nHost: h\n\n"),
            400);  // bare LF, long before the head could end
  EXPECT_EQ(refusal(get("X: a\nTransfer-Encoding: chunked\r\n")), 400);
  EXPECT_EQ(refusal(get("X: a\rb\r\n")), 400);  // bare CR
  EXPECT_EQ(refusal(get(std::string("X: a\0b\r\n", 9))), 400);
  EXPECT_EQ(refusal(get("No colon here\r\n")), 400);
  EXPECT_EQ(refusal("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"), 400);
  EXPECT_EQ(refusal("GET / HTTP/1.1\r\n\r\n"), 400);  // no Host
}

// A proxy in front speaks HTTP/1.0 unless it is told otherwise.
TEST(Parse, Http10) {
  const auto keep_alive = [](std::string_view bytes) {
    RequestParser parser({});
    parser.feed(bytes);
    EXPECT_EQ(parser.state(), State::done) << parser.failure().detail;
    return parser.keep_alive();
  };
  EXPECT_FALSE(keep_alive("GET / HTTP/1.0\r\n\r\n"));
  EXPECT_FALSE(keep_alive("GET / HTTP/1.0\r\nHost: h\r\nConnection: close\r\n\r\n"));
  EXPECT_TRUE(keep_alive("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"));

  RequestParser parser({});
  parser.feed("POST / HTTP/1.0\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(parser.state(), State::body);
  EXPECT_FALSE(parser.wants_continue());
  parser.feed("abc");
  EXPECT_EQ(parser.take().body, "abc");

  EXPECT_EQ(refusal("GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n"), 400);
  EXPECT_EQ(refusal("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), 400);
}

TEST(Parse, WhatIsNotHttp1) {
  EXPECT_EQ(refusal("PRI * HTTP/2.0\r\n\r\n"), 505);
  EXPECT_EQ(refusal("\x16\x03\x01 hello\r\n\r\n"), 400);
  EXPECT_EQ(refusal("GET  / HTTP/1.1\r\nHost: h\r\n\r\n"), 400);
  EXPECT_EQ(refusal("GET /a b HTTP/1.1\r\nHost: h\r\n\r\n"), 505);
  EXPECT_EQ(refusal("\r\n\r\n"), 400);
  EXPECT_EQ(refusal("CONNECT h:80 HTTP/1.1\r\nHost: h\r\n\r\n"), 400);
  EXPECT_EQ(refusal("OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n"), 400);
  EXPECT_EQ(refusal("GET http://h HTTP/1.1\r\nHost: h\r\n\r\n"), 400);
  EXPECT_EQ(refusal("GET /%00 HTTP/1.1\r\nHost: h\r\n\r\n"), 400);
  EXPECT_EQ(refusal("GET /?a=%zz HTTP/1.1\r\nHost: h\r\n\r\n"), 400);
  EXPECT_EQ(refusal(get("Expect: miracles\r\n")), 417);
}

TEST(Parse, SomePathsTakeMoreThanOthers) {
  const ParseLimits by_path{.head = 256, .body = 4, .body_of = [](const Request& head) {
                              return head.headers.get("X") ? std::size_t{10} : std::size_t{2};
                            }};
  EXPECT_EQ(refusal(post("Content-Length: 2\r\n", "01"), by_path), 0);
  EXPECT_EQ(refusal(post("Content-Length: 3\r\n", ""), by_path), 413);
  EXPECT_EQ(refusal(post("X: y\r\nContent-Length: 10\r\n", "0123456789"), by_path), 0);
  EXPECT_EQ(refusal(post("X: y\r\nContent-Length: 11\r\n", ""), by_path), 413);
  EXPECT_EQ(refusal(post("Transfer-Encoding: chunked\r\n", "3\r\n012\r\n"), by_path), 413);
  EXPECT_EQ(
      refusal(post("X: y\r\nTransfer-Encoding: chunked\r\n", "3\r\n012\r\n0\r\n\r\n"), by_path), 0);
}

TEST(Parse, Limits) {
  const ParseLimits small{.head = 256, .body = 10};
  EXPECT_EQ(refusal(get("X: " + std::string(100, 'x') + "\r\n"), small), 0);
  EXPECT_EQ(refusal(get("X: " + std::string(256, 'x') + "\r\n"), small), 431);
  EXPECT_EQ(refusal(std::string(300, 'G'), small), 431);  // no end in sight
  EXPECT_EQ(refusal(post("Content-Length: 10\r\n", "0123456789"), small), 0);
  EXPECT_EQ(refusal(post("Content-Length: 11\r\n", ""), small),
            413);  // before a byte of it was sent
  EXPECT_EQ(refusal(post("Transfer-Encoding: chunked\r\n", "b\r\n01"), small), 413);
  EXPECT_EQ(refusal(post("Transfer-Encoding: chunked\r\n", "5\r\n01234\r\n6\r\n"), small), 413);
  EXPECT_EQ(refusal(post("Transfer-Encoding: chunked\r\n", "1;" + std::string(300, 'e')), small),
            400);
}

TEST(Parse, Expect100Continue) {
  RequestParser parser({});
  parser.feed(post("Expect: 100-Continue\r\nContent-Length: 2\r\n", ""));
  EXPECT_TRUE(parser.wants_continue());
  parser.feed("ab");
  EXPECT_FALSE(parser.wants_continue());
  EXPECT_EQ(parser.take().body, "ab");
}

}  // namespace
}  // namespace gitaiops::http
