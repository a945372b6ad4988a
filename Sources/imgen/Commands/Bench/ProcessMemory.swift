import Foundation

/// Memory of this process as Linux counts it.
enum ProcessMemory {
  /// The most bytes that were in memory at one time since the last reset; `nil` where /proc does
  /// not tell.
  static var peakBytes: Int? {
    guard let status = try? String(contentsOfFile: "/proc/self/status", encoding: .utf8) else {
      return nil
    }
    let line = status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
    return line?.split(whereSeparator: \.isWhitespace).dropFirst().first
      .flatMap { Int($0) }.map { $0 * 1024 }
  }

  /// Starts a new measurement of `peakBytes` at what is in memory now.
  static func resetPeak() {
    guard let file = FileHandle(forWritingAtPath: "/proc/self/clear_refs") else { return }
    try? file.write(contentsOf: Data("5".utf8))
  }
}
