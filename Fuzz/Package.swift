// swift-tools-version: 6.1
import PackageDescription

// Tries the readers with damaged files, in a package of its own: the product does not carry it.
let package = Package(
    name: "fuzz",
    dependencies: [.package(name: "segment", path: "..")],
    targets: [
        .executableTarget(name: "VolumeFuzz", dependencies: [.product(name: "Volumes", package: "segment")])
    ],
    cxxLanguageStandard: .cxx20
)
