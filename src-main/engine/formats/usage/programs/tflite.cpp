// Runs the model on a picture with the C API of LiteRT (TensorFlow Lite).
//
//   g++ -std=c++17 -O2 run.cpp -I<include> -L<lib> -ltensorflowlite_c -o run
//   ./run picture.ppm        (or .pgm; for instance: magick picture.png picture.ppm)

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <numeric>
#include <stdexcept>
#include <string>
#include <vector>

#include "preprocessing.h"
#include "tensorflow/lite/c/c_api.h"

struct Picture {
  int width = 0, height = 0, channels = 0;
  std::vector<uint8_t> pixels;
};

// A binary PPM (P6) or PGM (P5) file of 8 bits.
Picture readPicture(const char* path) {
  std::ifstream file(path, std::ios::binary);
  std::string magic;
  Picture picture;
  int numbers[3] = {};
  file >> magic;
  for (int& number : numbers) {
    while (file >> std::ws && file.peek() == '#') file.ignore(4096, '\n');
    file >> number;
  }
  file.get();
  if (!file || (magic != "P6" && magic != "P5") || numbers[2] != 255)
    throw std::runtime_error(std::string(path) + " is no PPM or PGM file of 8 bits");
  picture.width = numbers[0];
  picture.height = numbers[1];
  picture.channels = magic == "P6" ? 3 : 1;
  picture.pixels.resize(size_t(picture.width) * picture.height * picture.channels);
  file.read(reinterpret_cast<char*>(picture.pixels.data()), picture.pixels.size());
  if (!file) throw std::runtime_error(std::string(path) + " is too short");
  return picture;
}

// The value of a channel of the model at a place of the picture.
float valueAt(const Picture& picture, int x, int y, int channel) {
  const uint8_t* pixel = &picture.pixels[(size_t(y) * picture.width + x) * picture.channels];
  if (picture.channels == 1) return pixel[0];
  if (kChannels == 1) return 0.299f * pixel[0] + 0.587f * pixel[1] + 0.114f * pixel[2];
  return pixel[kIsBgr ? 2 - channel : channel];
}

// The picture at the model's size, bilinear, and preprocessed.
std::vector<float> prepare(const Picture& picture) {
  std::vector<float> input(size_t(kHeight) * kWidth * kChannels);
  const auto place = [](int i, int from, int to) {
    return std::clamp((i + 0.5f) * from / to - 0.5f, 0.0f, float(from - 1));
  };
  size_t next = 0;
  for (int row = 0; row < kHeight; row++) {
    for (int column = 0; column < kWidth; column++) {
      const float y = place(row, picture.height, kHeight), x = place(column, picture.width, kWidth);
      const int top = int(y), left = int(x);
      const int bottom = std::min(top + 1, picture.height - 1);
      const int right = std::min(left + 1, picture.width - 1);
      for (int c = 0; c < kChannels; c++) {
        const auto along = [&](int line) {
          const float a = valueAt(picture, left, line, c), b = valueAt(picture, right, line, c);
          return a + (b - a) * (x - left);
        };
        const float pixel = along(top) + (along(bottom) - along(top)) * (y - top);
        const int i = kValues == 1 ? 0 : c;
        input[next++] = (pixel * kScale - kMean[i]) / kStd[i];
      }
    }
  }
  return input;
}

void check(TfLiteStatus status) {
  if (status != kTfLiteOk) throw std::runtime_error("the model cannot be run");
}

// Real numbers into a tensor of floats or of int8.
void write(TfLiteTensor* tensor, const std::vector<float>& values) {
  if (TfLiteTensorType(tensor) == kTfLiteFloat32)
    return check(TfLiteTensorCopyFromBuffer(tensor, values.data(), values.size() * sizeof(float)));
  const auto [scale, zero] = TfLiteTensorQuantizationParams(tensor);
  std::vector<int8_t> bytes(values.size());
  std::transform(values.begin(), values.end(), bytes.begin(), [&, scale = scale, zero = zero](float v) {
    return int8_t(std::clamp(std::lround(v / scale) + zero, -128L, 127L));
  });
  check(TfLiteTensorCopyFromBuffer(tensor, bytes.data(), bytes.size()));
}

std::vector<float> read(const TfLiteTensor* tensor) {
  const size_t size = TfLiteTensorByteSize(tensor);
  if (TfLiteTensorType(tensor) == kTfLiteFloat32) {
    std::vector<float> values(size / sizeof(float));
    check(TfLiteTensorCopyToBuffer(tensor, values.data(), size));
    return values;
  }
  const auto [scale, zero] = TfLiteTensorQuantizationParams(tensor);
  std::vector<int8_t> bytes(size);
  check(TfLiteTensorCopyToBuffer(tensor, bytes.data(), size));
  std::vector<float> values(size);
  for (size_t i = 0; i < size; i++) values[i] = (bytes[i] - zero) * scale;
  return values;
}

int main(int count, char** arguments) {
  if (count != 2) {
    std::fprintf(stderr, "usage: %s picture.ppm\n", arguments[0]);
    return 2;
  }
  try {
    TfLiteModel* model = TfLiteModelCreateFromFile(kModelFile);
    if (!model) throw std::runtime_error(std::string(kModelFile) + " cannot be read");
    TfLiteInterpreterOptions* options = TfLiteInterpreterOptionsCreate();
    TfLiteInterpreter* interpreter = TfLiteInterpreterCreate(model, options);
    if (!interpreter) throw std::runtime_error("the model has an op that this library does not know");
    check(TfLiteInterpreterAllocateTensors(interpreter));
    write(TfLiteInterpreterGetInputTensor(interpreter, 0), prepare(readPicture(arguments[1])));
    check(TfLiteInterpreterInvoke(interpreter));
    std::vector<float> scores = read(TfLiteInterpreterGetOutputTensor(interpreter, 0));
    const std::string kind = kOutputKind;
    if (kind == "logits") {
      const float highest = *std::max_element(scores.begin(), scores.end());
      float sum = 0;
      for (float& score : scores) sum += score = std::exp(score - highest);
      for (float& score : scores) score /= sum;
    } else if (kind == "label-logits") {
      for (float& score : scores) score = 1 / (1 + std::exp(-score));
    }
    std::vector<size_t> order(scores.size());
    std::iota(order.begin(), order.end(), 0);
    if (kind != "values") {
      std::sort(order.begin(), order.end(), [&](size_t a, size_t b) { return scores[a] > scores[b]; });
    }
    std::vector<std::string> labels;
    std::ifstream file("labels.txt");
    for (std::string line; std::getline(file, line);) labels.push_back(line);
    for (size_t i = 0; i < std::min<size_t>(5, order.size()); i++) {
      const size_t index = order[i];
      const std::string name = index < labels.size() ? labels[index] : std::to_string(index);
      std::printf("%8.4f  %s\n", scores[index], name.c_str());
    }
    TfLiteInterpreterDelete(interpreter);
    TfLiteInterpreterOptionsDelete(options);
    TfLiteModelDelete(model);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "error: %s\n", error.what());
    return 1;
  }
}
