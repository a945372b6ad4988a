import ArgumentParser
import Checkpoints
import ComputeCore
import Datasets
import Foundation
import GAN
import ImageIO

/// Generator and discriminator: training, samples, walks.
struct GANCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "gan", abstract: "Train a GAN on small pictures and draw with it.",
    subcommands: [GANTrainCommand.self, GANSampleCommand.self, GANWalkCommand.self])
}

/// A trained generator that the user names.
enum GANLocation {
  /// Loads the generator of a model folder, of a run's folder, or of a folder in `checkpoints/`.
  static func generator(_ name: String) throws -> Generator {
    let run = name + "/model"
    let isRun = FileManager.default.fileExists(atPath: run + "/config.json")
    return try Generator.load(
      folder: isRun ? run : ModelLocation.folder(name), isFrozen: true)
  }
}

extension Generator {
  /// The number of a class given by name or number; a name that is a number counts as a name.
  ///
  /// - Throws: `ValidationError` that lists the classes.
  func label(_ argument: String?) throws -> Int? {
    guard let argument else { return nil }
    let names = config.classNames
    guard !names.isEmpty else {
      throw ValidationError("--class is \(argument), but this model was trained without classes.")
    }
    if let found = names.firstIndex(where: { $0.lowercased() == argument.lowercased() }) {
      return found
    }
    if let number = Int(argument), names.indices.contains(number) { return number }
    let list = names.enumerated().map { "\($0) \($1)" }.joined(separator: ", ")
    throw ValidationError("--class is \(argument), expected one of: \(list).")
  }

  /// Pictures for the eye, enlarged by repeating pixels to about `side` pixels.
  func images(_ order: PictureOrder, side: Int = 0) -> [Image] {
    GANPictures.images(draw(order), config, side: side)
  }
}

/// Drawn numbers as pictures.
enum GANPictures {
  /// Refuses sheets that no memory holds.
  ///
  /// - Parameters:
  ///   - count: of the pictures.
  ///   - side: of each, in pixels.
  /// - Throws: `ValidationError` that says how large the sheet would be.
  static func check(count: Int, side: Int) throws {
    let pixels = count * side * side
    guard pixels <= 1 << 28 else {
      throw ValidationError(
        "\(count) pictures of \(side)x\(side) pixels make a sheet of \(pixels >> 20) million "
          + "pixels, expected at most \(1 << 8); draw fewer, or give a smaller --side.")
    }
  }

  /// `pictures` `[N, H, W, C]` in -1…1, enlarged by repeating pixels to about `side` pixels.
  static func images(_ pictures: Tensor, _ config: GANConfig, side: Int = 0) -> [Image] {
    let factor = max(1, side / config.sampleSize)
    let enlarged = Compute.withoutRecording { upsampledNearest(pictures, scale: factor) }
    let set = PictureSet(name: "samples", made: enlarged)
    return (0..<set.count).map(set.image)
  }
}
