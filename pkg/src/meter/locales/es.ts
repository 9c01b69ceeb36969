/** The texts of the meter in Spanish. Importing this adds them to all meters. */
import { addMeterStrings, type MeterStrings } from "../strings.js";

export const es: MeterStrings = {
  label: "Uso del asistente de IA",
  ok: "Dentro del presupuesto",
  warning: "Cerca del límite",
  critical: "Casi agotado",
  over: "Límite superado",
  reached: "Límite alcanzado",
  outside: "Fuera del presupuesto",
  loading: "Cargando…",
  unknown: "Aún no hay datos",
  used: (used, limit, count) => `${used} de ${limit} ${count === 1 ? "token" : "tokens"}`,
  left: (tokens, count) => `${count === 1 ? "queda" : "quedan"} ${tokens}`,
  exceeded: (tokens) => `${tokens} por encima del límite`,
  times: (factor) => `${factor} veces el límite`,
  window: (days, count) => (count === 1 ? "en las últimas 24 horas" : `en los últimos ${days} días`),
  asOf: (time) => `actualizado: ${time}`,
  ended: "Su sesión ha terminado.",
  denied: "No tiene acceso a estos datos de uso.",
  offline: "Sin conexión.",
  busy: "Demasiadas solicitudes en este momento.",
  busyUntil: (time) => `Demasiadas solicitudes; próximo intento: ${time}.`,
  quota: "La cuota de la API está agotada.",
  failed: "No se pudieron cargar los datos de uso.",
  retry: "Reintentar",
  logIn: "Iniciar sesión",
};

addMeterStrings("es", es);
