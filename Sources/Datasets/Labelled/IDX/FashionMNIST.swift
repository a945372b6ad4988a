/// Fashion-MNIST: 60,000 and 10,000 grey pictures of 28x28 pixels, garments of ten classes.
///
/// Source: Xiao, Rasul and Vollgraf 2017, arXiv:1708.07747, table 2 for the classes.
package enum FashionMNIST {
  /// What to ask for.
  package static let name = "fashion-mnist"
  /// The Debian package that has the files.
  package static let package = "dataset-fashion-mnist"
  /// Where the package puts them.
  package static let folder = "/usr/share/datasets/fashion-mnist"
  /// Names of the classes, in the order of their numbers.
  package static let classNames = [
    "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag",
    "Ankle boot",
  ]

  /// Reads one split of the installed set.
  ///
  /// - Parameters:
  ///   - split: which pictures.
  ///   - folder: where the files are installed.
  /// - Returns: the pictures with their classes.
  /// - Throws: `PictureSetError.missingPackage` unless all four files are there.
  package static func load(
    _ split: PictureSet.Split, from folder: String = folder
  ) throws(DatasetError) -> PictureSet {
    guard let (train, test) = try IDXNames.parts(in: folder), let train, let test,
      train.labels != nil, test.labels != nil
    else {
      throw .pictureSet(.missingPackage(name: name, package: package, folder: folder))
    }
    return try IDXSet(name: name, parts: [train, test], classNames: classNames).read(split)
  }
}
