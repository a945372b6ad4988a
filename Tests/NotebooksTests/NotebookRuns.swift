import Foundation
import ImageIO
import TestSupport

/// The scripts that were built with the tests, run as users run them.
enum NotebookRun {
  /// Beside the running test bundle, or where `swift build -c release` puts them.
  static func path(_ name: String) -> String {
    let bundle = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
    let beside = bundle.deletingLastPathComponent().appendingPathComponent(name).path
    if FileManager.default.isExecutableFile(atPath: beside) { return beside }
    var root = URL(fileURLWithPath: #filePath)
    for _ in 0..<3 { root.deleteLastPathComponent() }
    return root.appendingPathComponent(".build/release/\(name)").path
  }

  /// Runs a script to the end in `folder`; what it prints is short.
  static func run(_ name: String, _ arguments: String, in folder: ScratchFolder) throws
    -> (status: Int32, output: String)
  {
    let process = Process()
    let output = Pipe()
    process.executableURL = URL(fileURLWithPath: path(name))
    process.arguments = arguments.split(separator: " ").map(String.init)
    process.currentDirectoryURL = URL(fileURLWithPath: folder.path)
    (process.standardOutput, process.standardError) = (output, output)
    process.standardInput = FileHandle.nullDevice
    try process.run()
    let data = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return (process.terminationStatus, String(decoding: data, as: UTF8.self))
  }

  /// A folder `pictures` of two classes that are easy to tell apart: bars that lie and that stand.
  static func makePictures(in folder: ScratchFolder, perClass count: Int = 30) throws {
    for (name, isUpright) in [("lying", false), ("standing", true)] {
      let path = folder("pictures/\(name)")
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
      for index in 0..<count {
        var image = Image(width: 28, height: 28, color: .black)
        let (place, level) = (2 + index % 20, UInt8(120 + 4 * (index % 30)))
        for along in 4..<24 {
          for across in place..<place + 5 {
            let (x, y) = isUpright ? (across, along) : (along, across)
            image[x, y] = RGB(level, level, level)
          }
        }
        try image.writePNG(to: "\(path)/\(index).png")
      }
    }
  }
}
