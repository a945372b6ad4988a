import Foundation
import ImageIO

extension PictureSet {
  /// Reads a set of pictures into memory.
  ///
  /// What `argument` may be:
  /// - `fashion-mnist`: the files of the Debian package `dataset-fashion-mnist`.
  /// - A folder of IDX files named as MNIST's are, packed by gzip or not, or one such file of
  ///   pictures; its labels are those of the file beside it.
  /// - A folder of CIFAR-10's or CIFAR-100's binary records; of the latter the fine classes.
  /// - A folder of pictures (PNG, JPEG) without classes, or of one folder per class, whose names
  ///   are the classes, 2 before 10. Each picture is turned upright, cut to its largest centred
  ///   square and scaled. A file that cannot be decoded is left out and named in `skipped`. A
  ///   folder around a single folder is taken for that one.
  ///
  /// A set without a test part of its own (for folders of pictures: without the folders `train` and
  /// `test`) is split by the names of its pictures: about one in ten is held out.
  ///
  /// - Parameters:
  ///   - argument: a name or a path.
  ///   - split: which of the pictures.
  ///   - size: height and width of the pictures. `nil` keeps the size of IDX and CIFAR files, and
  ///     takes for folders the median short side, at most 64, as a multiple of 4 from 16 on; it is
  ///     the same for all splits.
  ///   - channels: 1 (grey) or 3; `nil` keeps those of IDX and CIFAR files, and is 1 for folders if
  ///     every picture of the split is grey. Give the first split's when you read a second one.
  ///   - limits: larger picture files are left out.
  ///   - progress: is called with the numbers of decoded and of all pictures of a folder.
  /// - Returns: the pictures, in the order of the file or of the names.
  /// - Throws: `DatasetError` saying what was found, what was expected and what to do.
  public static func load(
    _ argument: String, split: Split = .train, size: Int? = nil, channels: Int? = nil,
    limits: ImageLimits = .standard, progress: (_ done: Int, _ total: Int) -> Void = { _, _ in }
  ) throws(DatasetError) -> PictureSet {
    precondition(size ?? 1 > 0, "PictureSet: size must be at least 1, got \(size ?? 1)")
    precondition([nil, 1, 3].contains(channels), "PictureSet: channels must be 1 or 3")
    let set = try stored(
      argument, split, size: size, channels: channels, limits: limits, progress: progress)
    let resized = size.map { set.resized(to: $0) } ?? set
    return channels.map { resized.withChannels($0) } ?? resized
  }

  /// Reads a set as it is stored; folders of pictures have `size` and `channels` already.
  private static func stored(
    _ argument: String, _ split: Split, size: Int?, channels: Int?, limits: ImageLimits,
    progress: (_ done: Int, _ total: Int) -> Void
  ) throws(DatasetError) -> PictureSet {
    if argument == FashionMNIST.name { return try FashionMNIST.load(split) }
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: argument, isDirectory: &isFolder) else {
      throw .pictureSet(.unknown(argument: argument))
    }
    guard isFolder.boolValue else { return try IDXSet(file: argument).read(split) }
    var folder = argument
    while folder.count > 1 && folder.hasSuffix("/") { folder.removeLast() }
    if let set = try IDXSet(folder: folder) { return try set.read(split) }
    if let set = try CIFARSet(folder: folder) { return try set.read(split) }
    return try PictureFolder(folder).read(
      split, size: size, channels: channels, limits: limits, progress: progress)
  }
}
