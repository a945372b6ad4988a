/// Why a set of pictures cannot be read.
public enum PictureSetError: Error, Equatable, Hashable, Sendable {
  /// The files of a set that is known by name are not installed; looked for in `folder`.
  case missingPackage(name: String, package: String, folder: String)
  /// The argument is neither a known name nor a path at which there is something.
  case unknown(argument: String)
  /// The folder is laid out in no known way.
  case unrecognized(path: String, found: String)
  /// Files are missing from a folder that has others of the set.
  case missingFiles(path: String, names: [String])
  /// Several files could be meant.
  case ambiguous(path: String, names: [String])
  /// The file does not begin as an IDX file does.
  case notIDX(path: String, found: String)
  /// An IDX file holds other elements than unsigned bytes.
  case unsupportedElements(path: String, found: String)
  /// The numbers have another shape than is needed.
  case wrongShape(path: String, found: String, expected: String)
  /// The header claims more than the file, or memory, can hold.
  case tooLarge(path: String, detail: String)
  /// The file ends too early.
  case tooShort(path: String, found: Int, expected: Int)
  /// The file goes on behind its last element.
  case trailingBytes(path: String, expected: Int)
  /// Compressed data are damaged or end too early.
  case damagedGzip(path: String, detail: String)
  /// There are more or fewer labels than pictures.
  case countsDisagree(images: String, imageCount: Int, labels: String, labelCount: Int)
  /// A label has no class; `index` counts from 0.
  case unknownLabel(path: String, index: Int, label: Int, classes: Int)
  /// The size of a file of records is no multiple of theirs.
  case brokenRecords(path: String, sizeBytes: Int, recordBytes: Int)
  /// A folder holds both pictures and folders of pictures.
  case mixedFolder(path: String, picture: String, folder: String)
  /// There are too few pictures to hold one out for tests.
  case noTestPictures(path: String, found: Int)
  /// No picture of the set can be decoded; `reasons` holds a line for each.
  case noneReadable(path: String, reasons: [String])
}

extension PictureSetError: CustomStringConvertible {
  /// What was found, what was expected and what to do; no full stop at the end.
  public var description: String {
    switch self {
    case .missingPackage(let name, let package, let folder):
      "\(name) is not installed (\(folder) has no complete set of its files); install it with"
        + "\n  sudo apt install \(package)\nor give the folder that holds"
        + " train-images-idx3-ubyte.gz and its three companions"
    case .unknown(let argument):
      "\(argument): there is neither a folder nor a file of this name; give the path of a folder"
        + " of pictures, IDX files or CIFAR's records, or the name \(FashionMNIST.name)"
    case .unrecognized(let path, let found):
      "\(path): \(found); give a folder of pictures (PNG or JPEG), of class folders, of IDX files"
        + " (train-images-idx3-ubyte.gz ...) or of CIFAR's binary records (data_batch_1.bin ...)"
    case .missingFiles(let path, let names):
      "\(path): \(names.joined(separator: ", ")) \(names.count == 1 ? "is" : "are") missing;"
        + " unpack or download the set again"
    case .ambiguous(let path, let names):
      "\(path): several files could be meant: \(names.joined(separator: ", ")); give the path of"
        + " one of them"
    case .notIDX, .unsupportedElements, .wrongShape, .tooLarge, .tooShort, .trailingBytes,
      .damagedGzip, .countsDisagree, .unknownLabel, .brokenRecords:
      damageDescription
    case .mixedFolder(let path, let picture, let folder):
      "\(path): there are both pictures (\(picture)) and folders of pictures (\(folder)); for a"
        + " set with classes move every picture into the folder of its class, for one without"
        + " give a folder that holds only pictures"
    case .noTestPictures(let path, let found):
      "\(path): \(found) picture\(found == 1 ? " is" : "s are") too few to hold one out for"
        + " tests; add more, or make the folders train and test"
    case .noneReadable(let path, let reasons):
      ([
        "\(path): none of \(reasons.count) picture file\(reasons.count == 1 ? "" : "s")"
          + " can be decoded:"
      ] + reasons.prefix(10).map { "  \($0)" }).joined(separator: "\n")
    }
  }

  /// The description of what is wrong inside of one file.
  private var damageDescription: String {
    switch self {
    case .notIDX(let path, let found):
      "\(path): not an IDX file: \(found); expected two zero bytes, an element type and the number"
        + " of axes; if this is an archive, unpack it and give the folder"
    case .unsupportedElements(let path, let found):
      "\(path): the elements are \(found); only unsigned bytes (type 0x08) are read"
    case .wrongShape(let path, let found, let expected):
      "\(path): found \(found); expected \(expected)"
    case .tooLarge(let path, let detail):
      "\(path): \(detail)"
    case .tooShort(let path, let found, let expected):
      "\(path): the file ends after \(found) bytes, its header announces \(expected); download or"
        + " copy it again"
    case .trailingBytes(let path, let expected):
      "\(path): the file goes on behind the \(expected) bytes that its header announces; download"
        + " or copy it again"
    case .damagedGzip(let path, let detail):
      "\(path): damaged gzip file: \(detail); download or copy it again"
    case .countsDisagree(let images, let imageCount, let labels, let labelCount):
      "\(images) holds \(imageCount) pictures, but \(labels) holds \(labelCount) labels; take both"
        + " from the same set"
    case .unknownLabel(let path, let index, let label, let classes):
      "\(path): label \(index) is \(label), but there are \(classes) classes, numbered from 0"
    case .brokenRecords(let path, let sizeBytes, let recordBytes):
      "\(path): \(sizeBytes) bytes are no whole number of records of \(recordBytes) bytes; unpack"
        + " or download the set again (the binary version)"
    default: ""
    }
  }
}
