import ComputeCore

extension PictureSet {
  /// A batch of pictures as numbers from -1 (black) to 1.
  ///
  /// Large batches are converted on all cores.
  ///
  /// - Parameter indices: of pictures, repetitions allowed.
  /// - Returns: `[indices.count, H, W, C]`.
  public func tensor(_ indices: some Collection<Int>) -> Tensor {
    let chosen = Array(indices)
    precondition(
      chosen.allSatisfy { $0 >= 0 && $0 < count },
      "PictureSet: an index is outside of 0..<\(count)")
    let batch = Tensor(uninitialized: [chosen.count, height, width, channels])
    let (target, size) = (batch.pointer, pictureSize)
    pixels.withUnsafeBufferPointer { pixels in
      guard let source = pixels.baseAddress else { return }
      parallelChunks(chosen.count, chunk: max(1, 32_768 / size)) { places in
        for place in places {
          levels(target + place * size, source + chosen[place] * size, count: size)
        }
      }
    }
    return batch
  }
}

/// Writes `count` bytes as numbers from -1 to 1; a loop the compiler turns into vectors.
private func levels(
  _ target: UnsafeMutablePointer<Float>, _ source: UnsafePointer<UInt8>, count: Int
) {
  for i in 0..<count { target[i] = Float(source[i]) / 127.5 - 1 }
}
