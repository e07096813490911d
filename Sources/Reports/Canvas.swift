import CCairo
import Foundation

/// A picture to draw on; x to the right, y down, in pixels.
final class Canvas {
    enum Alignment { case left, center, right }

    let width, height: Int
    private let surface: OpaquePointer
    private let context: OpaquePointer

    init(width: Int, height: Int) {
        self.width = width
        self.height = height
        surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24, Int32(width), Int32(height))
        context = cairo_create(surface)
        fill(0, 0, Double(width), Double(height), .white)
    }

    deinit {
        cairo_destroy(context)
        cairo_surface_destroy(surface)
    }

    func fill(_ x: Double, _ y: Double, _ width: Double, _ height: Double, _ color: Color, opacity: Double = 1) {
        cairo_set_source_rgba(context, color.red, color.green, color.blue, opacity)
        cairo_rectangle(context, x, y, width, height)
        cairo_fill(context)
    }

    func frame(_ x: Double, _ y: Double, _ width: Double, _ height: Double, _ color: Color) {
        set(color, lineWidth: 1)
        cairo_rectangle(context, x - 0.5, y - 0.5, width + 1, height + 1)
        cairo_stroke(context)
    }

    /// A line through points; a point that is not finite breaks it.
    func line(_ points: [(x: Double, y: Double)], _ color: Color, width: Double = 1, stroke: Stroke = .solid) {
        set(color, lineWidth: width)
        cairo_set_dash(context, stroke.pattern, Int32(stroke.pattern.count), 0)
        var isDrawing = false
        for point in points {
            guard point.x.isFinite, point.y.isFinite else {
                isDrawing = false
                continue
            }
            isDrawing ? cairo_line_to(context, point.x, point.y) : cairo_move_to(context, point.x, point.y)
            isDrawing = true
        }
        cairo_stroke(context)
        cairo_set_dash(context, nil, 0, 0)
    }

    /// Keeps what `body` draws within a rectangle.
    func clipped(_ x: Double, _ y: Double, _ width: Double, _ height: Double, _ body: () -> Void) {
        cairo_save(context)
        cairo_rectangle(context, x, y, width, height)
        cairo_clip(context)
        body()
        cairo_restore(context)
    }

    func dot(_ x: Double, _ y: Double, radius: Double, _ color: Color) {
        cairo_set_source_rgb(context, color.red, color.green, color.blue)
        cairo_arc(context, x, y, radius, 0, 2 * Double.pi)
        cairo_fill(context)
    }

    /// Text whose baseline is at y; `turned` reads upwards.
    func text(
        _ text: String, _ x: Double, _ y: Double, size: Double, _ color: Color = .ink, align: Alignment = .left,
        bold: Bool = false, turned: Bool = false
    ) {
        let width = textWidth(text, size: size, bold: bold)
        let shift =
            switch align {
            case .left: 0.0
            case .center: -width / 2
            case .right: -width
            }
        cairo_set_source_rgb(context, color.red, color.green, color.blue)
        cairo_save(context)
        cairo_translate(context, x, y)
        if turned { cairo_rotate(context, -Double.pi / 2) }
        cairo_move_to(context, shift, 0)
        cairo_show_text(context, text)
        cairo_restore(context)
    }

    func textWidth(_ text: String, size: Double, bold: Bool = false) -> Double {
        cairo_select_font_face(
            context, "DejaVu Sans", CAIRO_FONT_SLANT_NORMAL,
            bold ? CAIRO_FONT_WEIGHT_BOLD : CAIRO_FONT_WEIGHT_NORMAL)
        cairo_set_font_size(context, size)
        var extents = cairo_text_extents_t()
        cairo_text_extents(context, text, &extents)
        return extents.x_advance
    }

    /// The text, shortened at its middle until it fits.
    func fitting(_ text: String, width: Double, size: Double, bold: Bool = false) -> String {
        if textWidth(text, size: size, bold: bold) <= width { return text }
        var kept = text.count - 1
        while kept > 2 {
            let short = text.prefix((kept + 1) / 2) + "…" + text.suffix(kept / 2)
            if textWidth(String(short), size: size, bold: bold) <= width { return String(short) }
            kept -= 1
        }
        return "…"
    }

    /// Draws pixels (RGB24, row by row) into a rectangle: sharp where enlarged, averaged where reduced.
    func image(
        _ pixels: [UInt32], width columns: Int, _ x: Double, _ y: Double, _ width: Double, _ height: Double
    ) {
        guard columns > 0, !pixels.isEmpty else { return }
        let rows = pixels.count / columns
        let source: OpaquePointer = cairo_image_surface_create(CAIRO_FORMAT_RGB24, Int32(columns), Int32(rows))
        defer { cairo_surface_destroy(source) }
        guard let data = cairo_image_surface_get_data(source) else { return }
        cairo_surface_flush(source)
        let stride = Int(cairo_image_surface_get_stride(source))
        pixels.withUnsafeBytes { bytes in
            guard let start = bytes.baseAddress else { return }
            for row in 0..<rows {
                UnsafeMutableRawPointer(data + row * stride).copyMemory(
                    from: start + row * columns * 4, byteCount: columns * 4)
            }
        }
        cairo_surface_mark_dirty(source)

        let isReduced = width < Double(columns) || height < Double(rows)
        cairo_save(context)
        cairo_rectangle(context, x, y, width, height)
        cairo_clip(context)
        cairo_translate(context, x, y)
        cairo_scale(context, width / Double(columns), height / Double(rows))
        cairo_set_source_surface(context, source, 0, 0)
        cairo_pattern_set_filter(cairo_get_source(context), isReduced ? CAIRO_FILTER_GOOD : CAIRO_FILTER_NEAREST)
        cairo_pattern_set_extend(cairo_get_source(context), CAIRO_EXTEND_PAD)
        cairo_paint(context)
        cairo_restore(context)
    }

    /// The picture as a PNG file.
    func png() -> Data {
        final class Sink { var bytes = Data() }
        let sink = Sink()
        cairo_surface_flush(surface)
        cairo_surface_write_to_png_stream(
            surface,
            { closure, bytes, count in
                guard let closure, let bytes else { return CAIRO_STATUS_WRITE_ERROR }
                Unmanaged<Sink>.fromOpaque(closure).takeUnretainedValue().bytes.append(bytes, count: Int(count))
                return CAIRO_STATUS_SUCCESS
            }, Unmanaged.passUnretained(sink).toOpaque())
        return sink.bytes
    }

    private func set(_ color: Color, lineWidth: Double) {
        cairo_set_source_rgb(context, color.red, color.green, color.blue)
        cairo_set_line_width(context, lineWidth)
        cairo_set_line_join(context, CAIRO_LINE_JOIN_ROUND)
    }
}
