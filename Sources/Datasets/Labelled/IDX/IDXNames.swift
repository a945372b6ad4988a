import Foundation

/// Finds IDX files by the names that MNIST gave them: `train-images-idx3-ubyte`,
/// `t10k-labels.idx1-ubyte.gz`, and what was named after them, such as
/// `emnist-balanced-test-images-idx3-ubyte`.
enum IDXNames {
  /// The parts that lie in a folder, or in a folder `raw` inside of it, as torchvision's do.
  ///
  /// - Returns: `nil` when there are no files of pictures.
  static func parts(
    in folder: String
  ) throws(DatasetError) -> (train: IDXPart?, test: IDXPart?)? {
    for place in [folder, "\(folder)/raw"] {
      let names = ((try? FileManager.default.contentsOfDirectory(atPath: place)) ?? []).sorted()
      let images = names.filter(isImages)
      let train = images.filter { $0.contains("train") }
      let test = images.filter { $0.contains("t10k") || $0.contains("test") }
      if train.isEmpty && test.isEmpty { continue }
      return (
        try part(of: train, in: place, among: names), try part(of: test, in: place, among: names)
      )
    }
    return nil
  }

  /// The labels that lie beside a file of pictures, packed or not.
  static func labels(ofImages name: String, among names: [String]) -> String? {
    guard let word = name.range(of: "images", options: .backwards) else { return nil }
    var base = name.replacingCharacters(in: word, with: "labels")
    for rank in ["idx3", "idx4"] { base = base.replacingOccurrences(of: rank, with: "idx1") }
    if base.hasSuffix(".gz") { base = String(base.dropLast(3)) }
    let other = base.replacingOccurrences(of: "-idx1", with: ".idx1")
    let another = base.replacingOccurrences(of: ".idx1", with: "-idx1")
    let wanted = [base, base + ".gz", other, other + ".gz", another, another + ".gz"]
    return wanted.first { $0 != name && names.contains($0) }
  }

  private static func isImages(_ name: String) -> Bool {
    let parts = name.split { $0 == "-" || $0 == "." || $0 == "_" }
    return name.contains("images") && (parts.contains("idx3") || parts.contains("idx4"))
  }

  private static func part(
    of images: [String], in folder: String, among names: [String]
  ) throws(DatasetError) -> IDXPart? {
    // Of a file that is there packed and unpacked, the unpacked one comes first and is taken.
    let files = images.filter { !($0.hasSuffix(".gz") && images.contains(String($0.dropLast(3)))) }
    guard let name = files.first else { return nil }
    guard files.count == 1 else { throw .pictureSet(.ambiguous(path: folder, names: files)) }
    let labels = labels(ofImages: name, among: names)
    return IDXPart(images: "\(folder)/\(name)", labels: labels.map { "\(folder)/\($0)" })
  }
}
