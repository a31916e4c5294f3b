// zell sign: requests made where no node is. The lines are those of node/http/SIGNED.md.

#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/exit_codes.h"
#include "cli/files.h"
#include "cli/genesis_choice.h"
#include "cli/json.h"
#include "cli/payload_source.h"
#include "cli/sender.h"
#include "client/rising_nonces.h"
#include "node/http/signed_request.h"
#include "node/wire/request_codec.h"

namespace zell::cli {
namespace {

struct SignOptions {
  PayloadSource source;
  SenderOptions sender;
  std::string genesis;
  std::optional<std::uint64_t> nonce;
  std::string output;
  bool force = false;
};

/// Signs for one cluster, one nonce after the other.
class Signer {
 public:
  Signer(const Genesis& genesis, const SecretKey& secret, std::string app, std::optional<std::uint64_t> first)
      : domain_(SigningDomain::of(genesis)),
        parameters_(genesis.parameters),
        secret_(secret),
        app_(std::move(app)),
        next_(first) {}

  /// The request's line. Codes: check_request_form's, "out-of-range" (no nonce is left).
  Result<std::string> sign(const Payloads& payloads) {
    if (spent_) return Error{"out-of-range", "there is no nonce above 2^64 - 1", "give a smaller --nonce"};
    const auto nonce = next_ ? *next_ : rising_.next();
    if (next_) {
      spent_ = nonce == UINT64_MAX;
      ++*next_;
    }
    const auto request = sign_request(domain_, secp256k1_scheme(), secret_, app_, nonce, payloads);
    if (auto form = check_request_form(*request, parameters_); !form) return form.error();
    ++signed_;
    return write_signed_request(*request, domain_.cluster) + "\n";
  }
  [[nodiscard]] std::uint64_t signed_so_far() const { return signed_; }
  [[nodiscard]] const ClusterId& cluster() const { return domain_.cluster; }

 private:
  SigningDomain domain_;
  Parameters parameters_;
  SecretKey secret_;
  std::string app_;
  std::optional<std::uint64_t> next_;
  bool spent_ = false;
  RisingNonces rising_;
  std::uint64_t signed_ = 0;
};

Status sign_all(const PayloadSource& source, Signer& signer, OutputFile& output) {
  Progress progress("signed", 0);
  auto signing = for_each_chunk(source, [&](const std::vector<Payloads>& chunk) -> Status {
    std::string lines;
    for (const auto& payloads : chunk) {
      auto line = signer.sign(payloads);
      if (!line) return line.error();
      lines += *line;
    }
    progress.update(signer.signed_so_far());
    return output.write(lines);
  });
  return signing ? output.finish() : signing;
}

int sign(const Globals& globals, const SignOptions& options) {
  if (auto checked = options.source.check("sign"); !checked) return fail(checked.error());
  const auto genesis = choose_genesis(globals, options.genesis);  // for whom it is signed
  if (!genesis) return fail(genesis.error());
  // Before anybody types a passphrase for nothing.
  auto output = OutputFile::open(options.output, 0666, options.force);
  if (!output) return fail(output.error());
  const auto environment = Environment::of_process();
  const auto sender = open_sender(keys_of_cluster(environment, globals), options.sender);
  if (!sender) return fail(sender.error());
  Signer signer(*genesis, sender->secret, options.sender.app_or_default(), options.nonce);
  if (auto status = sign_all(options.source, signer, *output); !status) return fail(status.error());
  if (output->is_stdout()) return done;
  if (globals.json) {
    print_json({{"file", options.output},
                {"requests", signer.signed_so_far()},
                {"sender", to_checksum_hex(*address_of(*secp256k1_scheme().public_key(sender->secret)))},
                {"cluster", to_hex0x(signer.cluster().view())}});
    return done;
  }
  print(fmt::format("{} {} signed by {}  {}", check_mark(), signer.signed_so_far(), sender->key.key.name,
                    options.output));
  hint("try", "zell submit --signed " + options.output);
  return done;
}

}  // namespace

void add_sign_command(Command root, const Globals& globals) {
  auto options = std::make_shared<SignOptions>();
  auto command = root.add("sign", "Sign requests to be submitted later; asks no node");
  options->source.add_to(command);
  options->sender.add_to(command);
  command
      .option("--genesis", options->genesis, "FILE",
              "The genesis file of the cluster that it is for, instead of a cluster here")
      .option("--nonce", options->nonce, "N", "The first request's nonce, the next has N + 1; the time if not given")
      .option("-o,--output", options->output, "FILE", "Write to this file instead of stdout")
      .flag("--force", options->force, "Replace the file if it is there")
      .examples({"zell sign hello", "zell sign hello -o hello.signed --force && zell submit --signed hello.signed",
                 "zell sign a b --bundle --as bob | zell submit --signed -"})
      .run([&globals, options] { return sign(globals, *options); });
}

}  // namespace zell::cli
