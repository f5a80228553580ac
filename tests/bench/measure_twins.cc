// SPDX-License-Identifier: Apache-2.0
/// measure_twins OBJECT TWIN PROGRAM PACKET_HEX [MAP=KEY:VALUE]...
///
/// Loads the program from both objects, runs both alternately over the packet with BPF_PROG_RUN, and prints a JSON
/// line: instructions after the kernel's translation, median nanoseconds a run, and what both returned. Maps get the
/// entry first. Exit code 3: not loaded.
#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iostream>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

using Bytes = std::vector<uint8_t>;

struct Close {
  void operator()(bpf_object* object) const { bpf_object__close(object); }
};

Bytes from_hex(const std::string& text) {
  Bytes bytes;
  for (size_t i = 0; i + 1 < text.size(); i += 2)
    bytes.push_back(static_cast<uint8_t>(std::stoul(text.substr(i, 2), nullptr, 16)));
  return bytes;
}

/// One program of one object, in the kernel.
class Candidate {
 public:
  Candidate(const std::string& path, const std::string& name) : object_(bpf_object__open_file(path.c_str(), nullptr)) {
    if (!object_) throw std::runtime_error("cannot open " + path);
    if (bpf_object__load(object_.get()) != 0)
      throw std::runtime_error("the kernel does not load " + path + ": " + std::strerror(errno));
    const bpf_program* program = bpf_object__find_program_by_name(object_.get(), name.c_str());
    if (!program) throw std::runtime_error("there is no program " + name + " in " + path);
    program_ = bpf_program__fd(program);
  }

  void set(const std::string& map, const Bytes& key, const Bytes& value) {
    bpf_map* found = bpf_object__find_map_by_name(object_.get(), map.c_str());
    if (!found || bpf_map__update_elem(found, key.data(), key.size(), value.data(), value.size(), BPF_ANY) != 0)
      throw std::runtime_error("cannot write to the map " + map + ": " + std::strerror(errno));
  }

  size_t instructions() const {
    bpf_prog_info info = {};
    __u32 size = sizeof info;
    if (bpf_obj_get_info_by_fd(program_, &info, &size) != 0) throw std::runtime_error("no information about a program");
    return info.xlated_prog_len / sizeof(bpf_insn);
  }

  /// Nanoseconds a run, as the kernel takes them, over many runs.
  uint32_t run(const Bytes& packet, int repeat) {
    bpf_test_run_opts options = {};
    options.sz = sizeof options;
    options.data_in = packet.data();
    options.data_size_in = static_cast<__u32>(packet.size());
    options.repeat = repeat;
    if (bpf_prog_test_run_opts(program_, &options) != 0)
      throw std::runtime_error(std::string("BPF_PROG_RUN: ") + std::strerror(errno));
    verdict = options.retval;
    return options.duration;
  }

  uint32_t verdict = 0;

 private:
  std::unique_ptr<bpf_object, Close> object_;
  int program_ = -1;
};

uint32_t median(std::vector<uint32_t> values) {
  std::nth_element(values.begin(), values.begin() + static_cast<long>(values.size() / 2), values.end());
  return values[values.size() / 2];
}

}  // namespace

int main(int count, char** words) {
  if (count < 5) {
    std::cerr << "usage: measure_twins OBJECT TWIN PROGRAM PACKET_HEX [MAP=KEY:VALUE]...\n";
    return 2;
  }
  libbpf_set_print([](libbpf_print_level level, const char* format, va_list arguments) {
    return level == LIBBPF_WARN ? std::vfprintf(stderr, format, arguments) : 0;
  });
  try {
    Candidate compiled(words[1], words[3]), twin(words[2], words[3]);
    const Bytes packet = from_hex(words[4]);
    for (int i = 5; i < count; ++i) {
      const std::string entry = words[i];
      const size_t equals = entry.find('='), colon = entry.find(':');
      if (equals == entry.npos || colon == entry.npos) throw std::runtime_error("no MAP=KEY:VALUE: " + entry);
      for (Candidate* candidate : {&compiled, &twin})
        candidate->set(entry.substr(0, equals), from_hex(entry.substr(equals + 1, colon - equals - 1)),
                       from_hex(entry.substr(colon + 1)));
    }
    constexpr int rounds = 31, repeat = 200000;
    std::vector<uint32_t> compiled_times, twin_times;
    for (int round = 0; round < rounds; ++round) {
      compiled_times.push_back(compiled.run(packet, repeat));
      twin_times.push_back(twin.run(packet, repeat));
    }
    std::cout << "{\"instructions\": " << compiled.instructions() << ", \"twin_instructions\": " << twin.instructions()
              << ", \"nanoseconds\": " << median(compiled_times) << ", \"twin_nanoseconds\": " << median(twin_times)
              << ", \"verdict\": " << compiled.verdict << ", \"twin_verdict\": " << twin.verdict << "}\n";
  } catch (const std::exception& error) {
    std::cerr << "measure_twins: " << error.what() << "\n";
    return 3;
  }
}
