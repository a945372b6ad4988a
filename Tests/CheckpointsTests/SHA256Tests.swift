import Checkpoints
import Testing

@Suite struct SHA256Tests {
  /// NIST CAVP `SHA256ShortMsg.rsp` and the examples of FIPS 180-4.
  @Test(arguments: [
    ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
    ("d3", "28969cdfa74a12c82f3bad960b0b000aca2ac329deea5c2328ebc6f2ba9802c1"),
    ("11af", "5ca7133fa735326081558ac312c620eeca9970d1e70a4b95533d956f072d1f98"),
    ("b4190e", "dff2e73091f6c05e528896c4c831b9448653dc2ff043528f6769437bc7b975c2"),
    ("74ba2521", "b16aa56be3880d18cd41e68384cf1ec8c17680c45a02b1575dc1518923ae8b0e"),
    ("616263", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
    (
      "6162636462636465636465666465666765666768666768696768696a68696a6b696a6b6c6a6b6c6d6b6c6d6e"
        + "6c6d6e6f6d6e6f706e6f7071",
      "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
    ),
  ])
  func matchesPublishedVectors(_ message: String, _ digest: String) {
    let digits = Array(message)
    let bytes = stride(from: 0, to: digits.count, by: 2).compactMap {
      UInt8(String(digits[$0...$0 + 1]), radix: 16)
    }
    #expect(SHA256.hexDigest(of: bytes) == digest)
  }

  @Test func matchesTheMillionLettersOfTheStandard() {
    let bytes = [UInt8](repeating: UInt8(ascii: "a"), count: 1_000_000)
    #expect(
      SHA256.hexDigest(of: bytes)
        == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0")
  }

  @Test func piecesGiveTheHashOfTheWhole() {
    let bytes = (0..<300).map { UInt8($0 % 251) }
    for count in [0, 1, 55, 56, 57, 63, 64, 65, 119, 120, 127, 128, 129, 300] {
      let whole = SHA256.hexDigest(of: Array(bytes[..<count]))
      for piece in [1, 7, 63, 64, 65] {
        var hash = SHA256()
        for start in stride(from: 0, to: count, by: piece) {
          hash.update(Array(bytes[start..<min(count, start + piece)]))
        }
        #expect(hash.hexDigest() == whole, "\(count) bytes in pieces of \(piece)")
      }
    }
  }

  /// Python's hashlib over `bytes(i % 251 for i in range(n))`.
  @Test(arguments: [
    (55, "463eb28e72f82e0a96c0a4cc53690c571281131f672aa229e0d45ae59b598b59"),
    (56, "da2ae4d6b36748f2a318f23e7ab1dfdf45acdc9d049bd80e59de82a60895f562"),
    (63, "29af2686fd53374a36b0846694cc342177e428d1647515f078784d69cdb9e488"),
    (64, "fdeab9acf3710362bd2658cdc9a29e8f9c757fcf9811603a8c447cd1d9151108"),
    (65, "4bfd2c8b6f1eec7a2afeb48b934ee4b2694182027e6d0fc075074f2fabb31781"),
    (119, "da18797ed7c3a777f0847f429724a2d8cd5138e6ed2895c3fa1a6d39d18f7ec6"),
    (120, "f52b23db1fbb6ded89ef42a23ce0c8922c45f25c50b568a93bf1c075420bbb7c"),
    (300, "43f9b5d59eb108817176c6f65c2c6203a22f2ae8bc28b7a1dde45947678c5042"),
  ])
  func matchesHashlibAtTheEdgesOfABlock(_ count: Int, _ digest: String) {
    #expect(SHA256.hexDigest(of: (0..<count).map { UInt8($0 % 251) }) == digest)
  }
}
