/// Damaged files, the same on every run, made from the fixtures.
struct HostileFile {
  let name: String
  let bytes: [UInt8]
  /// Bytes are missing at the end, so that reading it must fail.
  var isTruncated = false
}

enum HostileCorpus {
  private static let pngs = ["png-c0-d1-i", "png-c2-d8", "png-c3-d4-trns", "png-c6-d16-i", "text"]
  private static let jpegs = [
    "jpeg-420", "jpeg-progressive", "jpeg-cmyk", "jpeg-ycck", "jpeg-restart", "jpeg-grey", "exif-6",
  ]

  static func make() throws -> [HostileFile] {
    var generator = SplitMix64(state: 2026)
    var corpus: [HostileFile] = []
    for name in pngs {
      let bytes = try Fixture.bytes("\(name).png")
      corpus += truncations(of: bytes, name: name)
      corpus += flips(of: bytes, name: name, using: &generator)
      corpus += damagedChunks(of: PNGChunks(bytes), name: name, using: &generator)
    }
    for name in jpegs {
      let bytes = try Fixture.bytes("\(name).jpg")
      corpus += truncations(of: bytes, name: name)
      corpus += flips(of: bytes, name: name, using: &generator)
      corpus += damagedSegments(of: bytes, name: name, using: &generator)
    }
    return corpus
  }

  private static func truncations(of bytes: [UInt8], name: String) -> [HostileFile] {
    let lengths = (1..<24).map { $0 * bytes.count / 24 } + [bytes.count - 1, bytes.count - 2]
    return lengths.map {
      HostileFile(name: "\(name) cut to \($0)", bytes: Array(bytes.prefix($0)), isTruncated: true)
    }
  }

  private static func flips(
    of bytes: [UInt8], name: String, using generator: inout SplitMix64
  ) -> [HostileFile] {
    (0..<40).map { index in
      var damaged = bytes
      for _ in 0...index % 8 {
        damaged[Int.random(in: 8..<bytes.count, using: &generator)] ^=
          1 << UInt8.random(in: 0..<8, using: &generator)
      }
      return HostileFile(name: "\(name) flips \(index)", bytes: damaged)
    }
  }

  /// Damage behind valid checksums.
  private static func damagedChunks(
    of png: PNGChunks, name: String, using generator: inout SplitMix64
  ) -> [HostileFile] {
    var corpus: [HostileFile] = []
    for (width, height) in [
      (0, 5), (5, 0), (1, 1), (24, 17), (23, 18), (1000, 1000), (16_384, 1), (16_384, 6000),
      (60_000, 60_000), (1 << 31, 1), (0xFFFF_FFFF, 0xFFFF_FFFF),
    ] {
      corpus.append(
        HostileFile(name: "\(name) as \(width)x\(height)", bytes: png.resized(width, height).bytes))
    }
    for index in 0..<40 {
      var damaged = png
      let chunk = Int.random(in: 0..<png.chunks.count - 1, using: &generator)
      for _ in 0...index % 4 where !png.chunks[chunk].data.isEmpty {
        let position = Int.random(in: png.chunks[chunk].data.indices, using: &generator)
        damaged.chunks[chunk].data[position] = UInt8.random(in: 0...255, using: &generator)
      }
      corpus.append(HostileFile(name: "\(name) chunk damage \(index)", bytes: damaged.bytes))
    }
    for index in png.chunks.indices {
      for length in [0, 1, png.chunks[index].data.count + 1, 0x7FFF_FFFF, 0xFFFF_FFFF] {
        var damaged = png
        damaged.chunks[index].claimedLength = length
        corpus.append(
          HostileFile(name: "\(name) chunk \(index) length \(length)", bytes: damaged.bytes))
      }
      var without = png
      without.chunks.remove(at: index)
      corpus.append(HostileFile(name: "\(name) without chunk \(index)", bytes: without.bytes))
      var twice = png
      twice.chunks.insert(png.chunks[index], at: index)
      corpus.append(HostileFile(name: "\(name) chunk \(index) twice", bytes: twice.bytes))
    }
    return corpus
  }

  /// Sizes, segment lengths and table contents.
  private static func damagedSegments(
    of bytes: [UInt8], name: String, using generator: inout SplitMix64
  ) -> [HostileFile] {
    var corpus: [HostileFile] = []
    let markers = segmentStarts(bytes)
    for start in markers {
      for length in [0, 1, 2, 3, 0x00FF, 0xFFFF] {
        var damaged = bytes
        damaged[start + 2] = UInt8(length >> 8)
        damaged[start + 3] = UInt8(length & 255)
        corpus.append(
          HostileFile(name: "\(name) segment \(start) length \(length)", bytes: damaged))
      }
      for index in 0..<6 {
        var damaged = bytes
        let end = start + 4 + min(24, Int(bytes[start + 2]) << 8 + Int(bytes[start + 3]))
        damaged[Int.random(in: start + 4..<min(end, bytes.count), using: &generator)] =
          UInt8.random(in: 0...255, using: &generator)
        corpus.append(HostileFile(name: "\(name) segment \(start) damage \(index)", bytes: damaged))
      }
    }
    for start in markers where (0xC0...0xC2).contains(bytes[start + 1]) {
      for (width, height) in [
        (0, 5), (5, 0), (8, 8), (100, 36), (400, 400), (16_000, 6000), (65_535, 65_535),
      ] {
        var damaged = bytes
        damaged.replaceSubrange(
          start + 5..<start + 9,
          with: [UInt8(height >> 8), UInt8(height & 255), UInt8(width >> 8), UInt8(width & 255)])
        corpus.append(HostileFile(name: "\(name) as \(width)x\(height)", bytes: damaged))
      }
    }
    return corpus
  }

  /// Positions of the 0xFF of every marker up to the first scan.
  private static func segmentStarts(_ bytes: [UInt8]) -> [Int] {
    var starts: [Int] = []
    var position = 2
    while position + 4 <= bytes.count, bytes[position] == 0xFF {
      starts.append(position)
      if bytes[position + 1] == 0xDA { break }
      position += 2 + Int(bytes[position + 2]) << 8 + Int(bytes[position + 3])
    }
    return starts
  }
}

/// A PNG file taken apart; put together again, it has valid checksums.
struct PNGChunks {
  struct Chunk {
    var name: [UInt8]
    var data: [UInt8]
    var claimedLength: Int
  }

  var chunks: [Chunk] = []

  init(_ bytes: [UInt8]) {
    var position = 8
    while position + 12 <= bytes.count {
      let length = bytes[position..<position + 4].reduce(0) { $0 << 8 | Int($1) }
      chunks.append(
        Chunk(
          name: Array(bytes[position + 4..<position + 8]),
          data: Array(bytes[position + 8..<position + 8 + length]), claimedLength: length))
      position += 12 + length
    }
  }

  /// The same data under a header of another size.
  func resized(_ width: Int, _ height: Int) -> PNGChunks {
    var result = self
    result.chunks[0].data.replaceSubrange(0..<8, with: bigEndian(width) + bigEndian(height))
    return result
  }

  var bytes: [UInt8] {
    chunks.reduce(into: [0x89, 0x50, 0x4E, 0x47, 13, 10, 26, 10]) { file, chunk in
      file += bigEndian(chunk.claimedLength) + chunk.name + chunk.data
      file += bigEndian(Int(crc32(chunk.name + chunk.data)))
    }
  }

  private func bigEndian(_ value: Int) -> [UInt8] {
    [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: value >> $0) }
  }

  private func crc32(_ bytes: [UInt8]) -> UInt32 {
    var crc: UInt32 = 0xFFFF_FFFF
    for byte in bytes {
      crc ^= UInt32(byte)
      for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0xEDB8_8320 : crc >> 1 }
    }
    return ~crc
  }
}
