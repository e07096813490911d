import CCairo
import Foundation

/// The pixels of a PNG file as red, green and blue.
struct Picture {
    let width, height: Int
    private let pixels: [UInt32]

    init?(path: String) {
        let surface: OpaquePointer = cairo_image_surface_create_from_png(path)
        defer { cairo_surface_destroy(surface) }
        guard cairo_surface_status(surface) == CAIRO_STATUS_SUCCESS,
            let data = cairo_image_surface_get_data(surface)
        else { return nil }
        width = Int(cairo_image_surface_get_width(surface))
        height = Int(cairo_image_surface_get_height(surface))
        let stride = Int(cairo_image_surface_get_stride(surface))
        let (width, height) = (width, height)
        pixels = (0..<width * height).map { index in
            UnsafeRawPointer(data).load(
                fromByteOffset: index / width * stride + index % width * 4, as: UInt32.self) & 0xff_ffff
        }
    }

    /// 0xRRGGBB.
    func color(_ x: Int, _ y: Int) -> UInt32 { pixels[y * width + x] }

    /// All colours of a rectangle.
    func colors(x: Range<Int>, y: Range<Int>) -> Set<UInt32> {
        Set(y.flatMap { row in x.map { color($0, row) } })
    }

    func count(of color: UInt32) -> Int { pixels.count { $0 == color } }
}
