import Datasets
import Foundation
import ImageIO

/// What every script has: options, pictures to learn from, a folder to leave its own pictures in.
///
/// Whatever goes wrong ends the script with one message on the error output.
package struct Notebook {
  /// A number that can be set on the command line.
  package struct Option {
    let name: String
    let value: Int
    let range: ClosedRange<Int>
    let help: String

    /// `--name`, which is `value` when it is not given.
    package init(_ name: String, _ value: Int, in range: ClosedRange<Int>, _ help: String) {
      (self.name, self.value, self.range, self.help) = (name, value, range, help)
    }
  }

  private let name: String
  private var values: [String: Int]
  private var data = FashionMNIST.name
  private let folder: String

  /// Reads the options of the command line; `--help` lists them and ends the script.
  ///
  /// - Parameters:
  ///   - name: of the script.
  ///   - options: that no other script has; `--count` and `--seed` come with them.
  ///   - least: pictures that it needs to learn from.
  package init(_ name: String, options: [Option], leastPictures least: Int = 1) {
    self.name = name
    let options =
      options + [
        Option("count", 60_000, in: least...10_000_000, "pictures to learn from, at most"),
        Option("seed", 1, in: 0...1_000_000, "another seed gives another result"),
      ]
    values = Dictionary(uniqueKeysWithValues: options.map { ($0.name, $0.value) })
    var folder = "notebook-output/" + name
    var arguments = CommandLine.arguments.dropFirst()
    while let flag = arguments.popFirst() {
      if ["-h", "--help"].contains(flag) {
        print(Self.usage(name, options))
        exit(0)
      }
      guard let value = arguments.popFirst() else { Self.stop("\(flag) needs a value; see --help") }
      switch flag {
      case "--data": data = value
      case "--out": folder = value
      default:
        guard let option = options.first(where: { "--\($0.name)" == flag }) else {
          Self.stop("there is no option \(flag); see --help")
        }
        guard let number = Int(value), option.range.contains(number) else {
          let range = "\(option.range.lowerBound) to \(option.range.upperBound)"
          Self.stop("\(flag) is \(value), expected a whole number from \(range)")
        }
        values[option.name] = number
      }
    }
    self.folder = folder
  }

  /// The value of an option.
  package subscript(option: String) -> Int {
    guard let value = values[option] else { preconditionFailure("no option \(option)") }
    return value
  }

  /// Pictures to learn from, at most.
  package var count: Int { self["count"] }

  /// What everything random follows from.
  package var seed: UInt64 { UInt64(self["seed"]) }

  /// The pictures of `--data`.
  ///
  /// - Parameters:
  ///   - split: to learn from, or to test with.
  ///   - size: rows and columns of the pictures; `nil` keeps those they have.
  ///   - channels: 1: grey, 3: red, green, blue; `nil` keeps those they have.
  ///   - count: at most so many, in place of `--count`.
  /// - Returns: the pictures; the script ends when they cannot be read.
  package func pictures(
    _ split: PictureSet.Split, size: Int? = nil, channels: Int? = nil, count: Int? = nil
  ) -> PictureSet {
    do {
      return try PictureSet.load(data, split: split, size: size, channels: channels)
        .prefix(count ?? self.count)
    } catch {
      Self.stop("\(error)")
    }
  }

  /// Writes a picture into the script's folder and says so.
  package func save(_ image: Image, as file: String) {
    write(file) { path throws(ImageError) in try image.writePNG(to: path) }
  }

  /// Writes an animated picture, which browsers play, into the script's folder and says so.
  ///
  /// - Parameters:
  ///   - frames: at least one, all of one size.
  ///   - seconds: how long each is shown; the last one longer.
  ///   - file: its name.
  package func save(frames: [Image], secondsPerFrame seconds: Double, as file: String) {
    write(file) { path throws(ImageError) in
      try AnimatedPNG.write(
        frames: frames, secondsPerFrame: seconds, lastFrameSeconds: 3, to: path)
    }
  }

  /// Names the folder with all pictures.
  package func finish() {
    print("\nAll pictures are in \(folder)")
  }

  /// Ends the script with a message.
  package static func stop(_ message: String) -> Never {
    FileHandle.standardError.write(Data("error: \(message)\n".utf8))
    exit(1)
  }

  private func write(_ file: String, _ body: (String) throws(ImageError) -> Void) {
    do {
      try FileManager.default.createDirectory(
        atPath: folder, withIntermediateDirectories: true)
    } catch {
      Self.stop("\(folder) cannot be made: \(error.localizedDescription); choose another --out")
    }
    let path = "\(folder)/\(file)"
    do throws(ImageError) { try body(path) } catch { Self.stop("\(error)") }
    print("  wrote \(path)")
  }

  private static func usage(_ name: String, _ options: [Option]) -> String {
    let flags = options.map { ("--\($0.name) N", "\($0.help) (\($0.value))") }
    let common = [
      ("--data PATH", "pictures to learn from: a folder, IDX files (\(FashionMNIST.name))"),
      ("--out FOLDER", "where to leave the pictures (notebook-output/\(name))"),
    ]
    let lines = (flags + common).map { flag, help in
      "  " + flag + String(repeating: " ", count: max(1, 20 - flag.count)) + help
    }
    return "usage: \(name) [options]\n\n" + lines.joined(separator: "\n")
  }
}
