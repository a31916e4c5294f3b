#include "node/http/connection.h"

#include <poll.h>

#include <algorithm>

namespace zell {

namespace {

int digit_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  c = static_cast<char>(c | 0x20);
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

}  // namespace

std::string header(MHD_Connection* connection, const char* name) {
  const char* value = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
  return value ? value : "";
}

std::string media_type(std::string value) {
  value = value.substr(0, value.find(';'));
  while (!value.empty() && value.back() == ' ') value.pop_back();
  std::transform(value.begin(), value.end(), value.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return value;
}

std::size_t unescape(void*, MHD_Connection*, char* text) {
  char* to = text;
  for (const char* from = text; *from != '\0'; ++from, ++to) {
    const int high = *from == '%' ? digit_value(from[1]) : -1;
    const int low = high >= 0 ? digit_value(from[2]) : -1;
    if (low >= 0 && high + low > 0) {
      *to = static_cast<char>(high << 4 | low);
      from += 2;
    } else {
      *to = *from;
    }
  }
  *to = '\0';
  return static_cast<std::size_t>(to - text);
}

bool client_left(const HttpConnection& connection) {
  pollfd ask{connection.fd, POLLRDHUP, 0};
  return ::poll(&ask, 1, 0) > 0 && (ask.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
}

}  // namespace zell
